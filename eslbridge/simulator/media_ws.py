"""What the audio WebSocket modules share: a call's frames as a client sends them, its play-out, its connection.

Facts from FreeSWITCH 1.11: `start` answers `+OK Success` before any connection exists; audio that is produced while
connecting is queued, at most 1,024 messages.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from eslbridge.simulator.arguments import separate
from eslbridge.simulator.audio import FRAME_BYTES, Upsampler
from eslbridge.simulator.ws_client import Closed, RawWebSocket, UpgradeError

if TYPE_CHECKING:
    from eslbridge.simulator.channel import Channel

MAX_WAITING = 1024
OK, FAILED = "+OK Success\n", "-ERR Operation Failed\n"


class PlayBuffer:
    """Audio on its way to the telephone, in L16 8,000 Hz; frames come out whole, a tail after one turn's wait."""

    def __init__(self) -> None:
        self.audio = bytearray()
        self.played = 0
        self._waited = False

    def pop(self) -> bytes | None:
        if len(self.audio) < FRAME_BYTES and not (self.audio and self._waited):
            self._waited = bool(self.audio)
            return None
        self._waited = False
        frame = bytes(self.audio[:FRAME_BYTES])
        del self.audio[:FRAME_BYTES]
        self.played += len(frame)
        return frame.ljust(FRAME_BYTES, b"\0")


class Stream:
    """What both modules share: frames out, a connection, its end."""

    prefix = ""
    style = ""
    connect_s = 1.0

    def __init__(self, channel: Channel, url: str, mix: str, rate: int, metadata: str) -> None:
        self.channel = channel
        self.url = url
        self.mix = mix
        self.rate = rate
        self.metadata = metadata
        self.paused = False
        self.socket: RawWebSocket | None = None
        self.is_open = False
        self.sent_frames = 0
        self.dropped = 0
        self.buffer_ms = 20
        self.play = PlayBuffer()
        self._waiting: deque[bytes] = deque()
        self._gathered = b""
        self._gathered_frames = 0
        self._resampler = Upsampler(rate)
        self._dice = channel.faults.dice()
        self._odd = b""
        self._metadata_due = bool(metadata) and not channel.faults.no_metadata
        channel.media.taps.append(self)
        self.task = asyncio.get_running_loop().create_task(self._run())

    # Audio -----------------------------------------------------------------------------------------

    def read(self, frame: bytes) -> None:
        if self.paused or (self.mix != "mono" and not self._written()):
            return
        frame = self._resampler(frame)
        if self.mix == "stereo":
            left = np.frombuffer(frame, dtype="<i2")
            frame = np.column_stack((left, np.zeros_like(left))).tobytes()
        self._gathered += frame
        self._gathered_frames += 1
        if self._gathered_frames * 20 < self.buffer_ms:
            return
        whole, self._gathered, self._gathered_frames = self._gathered, b"", 0
        if self.is_open:
            self._send_audio(whole)
        elif self.socket is None and not self.task.done():
            self._waiting.append(whole)
            if len(self._waiting) > MAX_WAITING:
                self._waiting.popleft()
                self.dropped += 1

    def _written(self) -> bool:
        media = self.channel.media
        return media.silence_when_idle or media.player is not None or media.other is not None

    def _send_audio(self, data: bytes) -> None:
        socket = self.socket
        if socket is None:
            return
        if self.channel.faults.odd_frames:
            self._odd += data
            while len(self._odd) > 700:
                length = self._dice.randint(1, 699)
                socket.send_binary(self._odd[:length])
                self._odd = self._odd[length:]
        else:
            socket.send_binary(data)
        self.sent_frames += 1
        if self._metadata_due and self.sent_frames > self.channel.faults.late_metadata_frames:
            self._send_metadata()

    def _send_metadata(self) -> None:
        if self._metadata_due and self.socket is not None:
            self._metadata_due = False
            self.socket.send_text(self.metadata)

    def sound(self, writing: bool) -> bytes | None:
        return self.play.pop()

    # Connection ------------------------------------------------------------------------------------

    async def _run(self) -> None:
        clock = self.channel.switch.clock
        try:
            async with asyncio.timeout(clock.real(self.connect_s)):
                self.socket = await RawWebSocket.connect(self.url, style=self.style, headers=self.extra_headers())
        except TimeoutError:
            self.failed(10, "connect timeout")
            return
        except UpgradeError:
            self.failed(6, "WebSocket upgrade failed")
            return
        except OSError as error:
            self.failed(6, f"{os.strerror(error.errno or 0)} (system error {error.errno})")
            return
        self.is_open = True
        self.opened()
        reset_s = self.channel.faults.websocket_reset_after_s
        if reset_s is not None:
            self.channel.switch.later(reset_s, self.socket.abort)
        async for message in self.socket.messages():
            if isinstance(message, str):
                self.text(message)
            else:
                self.binary(message)
        self.is_open = False
        ended, ours = self.socket.closed, self.socket.closing
        self.socket.writer.close()
        if not ours:
            self.far_end_closed(ended or Closed(None))

    def extra_headers(self) -> dict[str, str]:
        return {}

    def flush_waiting(self) -> None:
        while self._waiting:
            self._send_audio(self._waiting.popleft())

    def opened(self) -> None: ...

    def failed(self, code: int, reason: str) -> None: ...

    def text(self, message: str) -> None: ...

    def binary(self, data: bytes) -> None: ...

    def far_end_closed(self, how: Closed) -> None: ...

    def event(self, kind: str, body: str | None = None) -> None:
        self.channel.emit("CUSTOM", subclass=f"{self.prefix}::{kind}", body=body)

    def remove(self) -> None:
        """The media bug goes."""
        if self in self.channel.media.taps:
            self.channel.media.taps.remove(self)

    def stop(self, text: str = "", reason: str = "Normal closure") -> None:
        """`stop`, or the call's end: a last text, CLOSE 1000, and the bug is gone."""
        self.remove()
        self.is_open = False
        if self.socket is None:
            self.task.cancel()
            return
        if text:
            self.socket.send_text(text)
        self.channel.switch.spawn(self.socket.close(reason))


def number(text: str) -> int:
    match = re.fullmatch(r"\d{1,7}", text)
    return int(match.group()) if match else 0


def first_word(text: str) -> str:
    """The module splits on spaces, so that unquoted JSON loses its second half."""
    return next(iter(separate(text)), "")
