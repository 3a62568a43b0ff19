"""Keeping what was said: the stereo recording of a call, and the audio of a message.

Both are written as the call goes on, a second at a time and in one thread for the whole node, so that memory stays
flat, the event loop never waits for a disk, and a node that dies loses a second at most. Each write leaves a file that
plays.
"""

from __future__ import annotations

import threading
import wave
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import structlog

from eslbridge.media.contract import FRAME_SAMPLES, RATE

log = structlog.get_logger(__name__)

SAMPLES_PER_MS = RATE // 1000
FLUSH_SAMPLES = RATE
"""How much is gathered before it goes to the writer: one second."""
SLACK_SAMPLES = 240 * SAMPLES_PER_MS
"""How far the caller's track may be off the clock before it is padded or thinned. A busy moment delivers frames late
and together: they belong one after the other, not after a gap."""
MOST_PENDING = 2_000
"""Writes that may wait for the disk: about 64 MB. More are dropped, counted and logged."""


class Disk:
    """The node's one writing thread, with a bound on what waits for it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recording")
        self._room = threading.BoundedSemaphore(MOST_PENDING)
        self.dropped = 0

    def write(self, file: WavFile, pcm: bytes) -> None:
        """Append later; returns at once."""
        if not self._room.acquire(blocking=False):
            self.dropped += 1
            log.error("recording_dropped", path=str(file.path), bytes=len(pcm), why="the disk is too slow")
            return
        self._thread.submit(file.append, pcm).add_done_callback(self._written)

    def close_file(self, file: WavFile) -> Future[None]:
        """Close the file after everything written to it so far."""
        return self._thread.submit(file.close)

    def close(self) -> None:
        """Wait until everything is on the disk."""
        self._thread.shutdown(wait=True)

    def _written(self, done: Future[None]) -> None:
        self._room.release()
        if (error := done.exception()) is not None:
            log.error("recording_failed", error=str(error))


class WavFile:
    """A WAV file of L16 8,000 Hz that can be played after every write. Used by the writing thread only."""

    def __init__(self, path: Path, channels: int) -> None:
        self.path = path
        self._channels = channels
        self._wave: wave.Wave_write | None = None

    def append(self, pcm: bytes) -> None:
        if self._wave is None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            self._wave = wave.open(str(self.path), "wb")
            self._wave.setnchannels(self._channels)
            self._wave.setsampwidth(2)
            self._wave.setframerate(RATE)
        self._wave.writeframes(pcm)

    def close(self) -> None:
        file, self._wave = self._wave, None
        if file is not None:
            file.close()


class MessageAudio:
    """The caller's side only, from the moment a message begins."""

    def __init__(self, path: Path, disk: Disk) -> None:
        self._file = WavFile(path, 1)
        self._disk = disk
        self._frames: list[bytes] = []

    @property
    def path(self) -> Path:
        return self._file.path

    def add(self, frame: bytes) -> None:
        self._frames.append(frame)
        if len(self._frames) * FRAME_SAMPLES >= FLUSH_SAMPLES:
            self._flush()

    def close(self) -> Future[None]:
        self._flush()
        return self._disk.close_file(self._file)

    def _flush(self) -> None:
        if self._frames:
            self._disk.write(self._file, b"".join(self._frames))
            self._frames.clear()


class CallRecording:
    """Both sides on the call's clock: the caller left, the secretary right, exactly as it was heard.

    The caller's frames are laid down as they come. The secretary's voice is laid where the play-out clock puts it, and
    cut where it was stopped. All times are ms on the call's clock.
    """

    def __init__(self, path: Path, disk: Disk) -> None:
        self._file = WavFile(path, 2)
        self._disk = disk
        self._flushed = 0
        self._caller: list[bytes] = []
        self._caller_end = 0
        self._voice: deque[tuple[int, bytes]] = deque()
        self._voice_end = 0

    @property
    def path(self) -> Path:
        return self._file.path

    def caller(self, frame: bytes, now: int) -> None:
        """One frame that ended at `now`."""
        begin = now * SAMPLES_PER_MS - FRAME_SAMPLES
        if begin - self._caller_end > SLACK_SAMPLES:
            self._caller.append(bytes(2 * (begin - self._caller_end)))
            self._caller_end = begin
        elif self._caller_end - begin > SLACK_SAMPLES:
            return
        self._caller.append(frame)
        self._caller_end += FRAME_SAMPLES
        if self._caller_end - self._flushed >= FLUSH_SAMPLES:
            self._flush(self._caller_end)

    def played(self, pcm: bytes, now: int) -> None:
        """Voice queued at `now`, heard after what was queued before."""
        # After a busy moment the caller's side may be ahead of the clock, and written already.
        begin = max(now * SAMPLES_PER_MS, self._voice_end, self._flushed)
        self._voice.append((begin, pcm))
        self._voice_end = begin + len(pcm) // 2

    def stopped(self, now: int) -> None:
        """Nothing of the voice was heard after `now`."""
        end = now * SAMPLES_PER_MS
        kept = ((begin, pcm[: 2 * (end - begin)]) for begin, pcm in self._voice if begin < end)
        self._voice = deque(kept)
        self._voice_end = min(self._voice_end, end)

    def close(self, now: int) -> Future[None]:
        """Write the rest up to `now`. The result is done when the file is complete."""
        self._flush(max(self._caller_end, min(self._voice_end, now * SAMPLES_PER_MS)))
        return self._disk.close_file(self._file)

    def _flush(self, end: int) -> None:
        length = end - self._flushed
        if length <= 0:
            return
        both = np.zeros((length, 2), dtype="<i2")
        left = np.frombuffer(b"".join(self._caller), dtype="<i2")
        both[: len(left), 0] = left[:length]
        self._caller.clear()
        while self._voice and self._voice[0][0] < end:
            begin, pcm = self._voice.popleft()
            offset = begin - self._flushed
            sound = np.frombuffer(pcm, dtype="<i2")[: end - begin]
            both[offset : offset + len(sound), 1] = sound
            if begin + len(pcm) // 2 > end:
                self._voice.appendleft((end, pcm[2 * len(sound) :]))
                break
        self._flushed = end
        self._disk.write(self._file, both.tobytes())
