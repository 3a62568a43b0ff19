"""What is written to the disk while a call goes on: the stereo recording, and the audio of messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path

import structlog

from secretary.conversation.recording import CallRecording, Disk, MessageAudio

log = structlog.get_logger(__name__)

DISK_S = 5.0
"""How long a file may take to be complete; a disk that hangs must not keep a message or a record from the database."""


class Keeping:
    """One call's files. Nothing here waits, except `end` and `complete`."""

    def __init__(
        self,
        disk: Disk,
        message_path: Callable[[], Path],
        recording_path: Path | None,
        *,
        after_disclosure: bool,
        by_switch: bool = False,
    ) -> None:
        self._disk, self._message_path = disk, message_path
        self._message: MessageAudio | None = None
        self._path = recording_path
        self._recording: CallRecording | None = None
        self._paused = False
        self._may_record = not after_disclosure
        """Whether the caller has been told: before that, nothing of theirs is recorded."""
        self._files: list[Future[None]] = []
        self.active = False
        """Whether `caller` wants frames at all."""
        if not by_switch:
            self.record_here()

    @property
    def recording(self) -> Path | None:
        return self._recording.path if self._recording else None

    @property
    def message(self) -> Path | None:
        """Where the message under way is written, if there is one."""
        return self._message.path if self._message is not None else None

    def record_here(self) -> None:
        """Record on this node, where the call is recorded at all."""
        if self._path is not None and self._recording is None:
            self._recording = CallRecording(self._path, self._disk)
            self.active = True

    def pause(self, on: bool) -> None:
        """Write silence from now on, or sound again."""
        self._paused = on

    def disclosed(self) -> None:
        self._may_record = True

    def caller(self, frame: bytes, now: int) -> None:
        if self._paused:
            frame = bytes(len(frame))
        if self._message is not None:
            self._message.add(frame)
        if self._recording is not None and self._may_record:
            self._recording.caller(frame, now)

    def played(self, pcm: bytes, now: int) -> None:
        if self._recording is not None:
            self._recording.played(bytes(len(pcm)) if self._paused else pcm, now)

    def stopped(self, now: int) -> None:
        if self._recording is not None:
            self._recording.stopped(now)

    def start_message(self) -> None:
        self.end_message()
        self._message = MessageAudio(self._message_path(), self._disk)
        self.active = True

    def end_message(self) -> Future[None] | None:
        """Nothing more belongs to the message; done when its file is complete. None: there is none."""
        message, self._message = self._message, None
        self.active = self._recording is not None
        if message is None:
            return None
        written = message.close()
        self._files.append(written)
        return written

    def end_recording(self, now: int) -> None:
        """The call is over."""
        if self._recording is not None:
            self._recording.stopped(now)
            self._files.append(self._recording.close(now))

    async def end(self) -> None:
        """Wait until all files of the call are complete."""
        self.end_message()
        if self._files:
            await complete(self._files)


async def complete(files: Iterable[Future[None]]) -> None:
    """Wait until these files are complete, but not for ever, nor for a file that never will be."""
    done, late = await asyncio.wait([asyncio.wrap_future(file) for file in files], timeout=DISK_S)
    if late:
        log.error("disk_too_slow", files=len(late))
    for file in done:
        if (error := file.exception()) is not None:
            log.error("file_not_complete", error=repr(error))
