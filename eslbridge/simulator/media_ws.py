"""mod_audio_stream and mod_audio_fork: a call's audio as a WebSocket client's frames.

Facts from FreeSWITCH 1.11: `start` answers `+OK Success` before any connection exists; mod_audio_stream gives a server
1 s to accept, and sends the audio that was queued meanwhile before its metadata; after the server's close the media bug
stays, and `start` fails until `stop`; after a broken connection it is gone, and `start` works. The jambonz build of
mod_audio_fork plays nothing on a parked channel unless something writes (`send_silence_when_idle`), and hands audio to
its play-out only in lumps: first 1,280 samples, then 640.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import os
import re
import tempfile
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from eslbridge.simulator.arguments import separate
from eslbridge.simulator.audio import FRAME_BYTES, RATE, Upsampler, resample
from eslbridge.simulator.ws_client import Closed, RawWebSocket, UpgradeError

if TYPE_CHECKING:
    from eslbridge.simulator.channel import Channel

MAX_WAITING = 1024
OK, FAILED = "+OK Success\n", "-ERR Operation Failed\n"
_EXTENSIONS = {"wav": "wav", "mp3": "mp3", "ogg": "ogg", "pcmu": "pcmu", "pcma": "pcma"}
_RAW_EXTENSIONS = {8000: "r8", 16000: "r16", 24000: "r24", 32000: "r32", 48000: "r48", 64000: "r64"}


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


class AudioStream(Stream):
    """mod_audio_stream; what it plays back depends on the build (`Options.stream_dialect`)."""

    prefix = "mod_audio_stream"
    style = "libwsc"
    connect_s = 1.0

    def __init__(self, channel: Channel, url: str, mix: str, rate: int, metadata: str) -> None:
        self.files: list[str] = []
        self.dialect = channel.switch.options.stream_dialect
        self.return_rate = RATE
        super().__init__(channel, url, mix, rate, metadata)
        size = channel.variable("STREAM_BUFFER_SIZE")
        if size.isdigit() and int(size) % 20 == 0 and int(size) > 0:
            self.buffer_ms = int(size)
        beat = channel.variable("STREAM_HEART_BEAT")
        if beat.isdigit() and int(beat) > 0:
            channel.switch.spawn(self._beat(int(beat)))

    @classmethod
    def command(cls, channel: Channel, order: str) -> str:
        """`start <url> <mix> [rate] [metadata]`, `stop [text]`, `send_text <text>`, `pause`, `resume`."""
        verb, _, rest = order.partition(" ")
        running = next((tap for tap in channel.media.taps if isinstance(tap, cls)), None)
        if verb == "start":
            return cls._start(channel, rest, running)
        if running is None:
            return FAILED
        match verb:
            case "stop":
                running.stop(_first_word(rest))
            case "pause":
                running.paused = True
            case "resume":
                running.paused = False
            case "send_text":
                if running.socket is not None:
                    running.socket.send_text(_first_word(rest))
            case _:
                return FAILED
        return OK

    @classmethod
    def _start(cls, channel: Channel, rest: str, running: AudioStream | None) -> str:
        words = separate(rest, 4)
        if len(words) < 2 or words[1] not in {"mono", "mixed", "stereo"}:
            return "-ERR no reply\n"
        if not re.fullmatch(r"wss?://[A-Za-z0-9.-]+(:\d+)?(/\S*)?", words[0]) or len(words[0]) > 4095:
            return FAILED
        rate = {"8k": 8000, "16k": 16000}.get(words[2] if len(words) > 2 else "8k") or _number(words[2])
        if rate <= 0 or rate % 8000 or running is not None or not channel.has_media:
            return FAILED
        cls(channel, words[0], words[1], rate, words[3] if len(words) > 3 else "")
        return OK

    async def _beat(self, seconds: int) -> None:
        while self in self.channel.media.taps:
            await self.channel.switch.clock.sleep(seconds)
            if self.socket is not None:
                self.socket.send_ping()

    def extra_headers(self) -> dict[str, str]:
        try:
            given = json.loads(self.channel.variable("STREAM_EXTRA_HEADERS") or "{}")
        except ValueError:
            return {}
        return {str(name): str(value) for name, value in given.items()} if isinstance(given, dict) else {}

    def opened(self) -> None:
        self.flush_waiting()
        if self._metadata_due and not self.channel.faults.late_metadata_frames:
            self._send_metadata()
        self.event("connect", '{"status":"connected"}')

    def failed(self, code: int, reason: str) -> None:
        self.remove()
        self._report("error", "error", code, "error", reason)

    def _report(self, kind: str, status: str, code: int, key: str, reason: str) -> None:
        body = {"status": status, "message": {"code": code, key: reason}}
        self.event(kind, json.dumps(body, separators=(",", ":")))

    def far_end_closed(self, how: Closed) -> None:
        if how.code is None:
            self.remove()
            self._report("error", "error", 1, "error", "connection lost")
        else:
            self._report("disconnect", "disconnected", how.code, "reason", how.reason)

    def stop(self, text: str = "", reason: str = "Normal closure") -> None:
        super().stop(text, reason)
        for file in self.files:
            if os.path.exists(file):
                os.unlink(file)

    def binary(self, data: bytes) -> None:
        if self.dialect == "binary":
            self.play.audio += resample(data[: len(data) // 2 * 2], self.return_rate)
        # The community build ignores binary frames without a word.

    def text(self, message: str) -> None:
        try:
            whole = json.loads(message)
            kind = whole["type"]
        except (ValueError, KeyError, TypeError):
            self.event("json", message)
            return
        data = whole.get("data")
        if kind == "rawAudio" and self.dialect == "binary" and isinstance(data, dict):
            self.return_rate = int(data.get("sampleRate", RATE))
        elif kind == "stopAudio" and self.dialect == "json":
            self.play.audio.clear()
        elif kind == "streamAudio" and isinstance(data, dict) and self._stream_audio(data):
            pass
        else:
            self.event("json", message)

    def _stream_audio(self, data: dict[str, object]) -> bool:
        kind, rate = str(data.get("audioDataType", "")), data.get("sampleRate")
        try:
            audio = base64.b64decode(str(data.get("audioData", "")), validate=True)
        except (binascii.Error, ValueError):
            return False
        if kind == "raw" and not (isinstance(rate, int) and rate in _RAW_EXTENSIONS):
            return False
        if self.dialect != "community":
            if kind != "raw" or not isinstance(rate, int):
                return False
            self.play.audio += resample(audio[: len(audio) // 2 * 2], rate)
            return True
        extension = _RAW_EXTENSIONS[rate] if kind == "raw" and isinstance(rate, int) else _EXTENSIONS.get(kind)
        if extension is None:
            return False
        folder = self.channel.switch.options.temp_dir or tempfile.gettempdir()
        path = os.path.join(folder, f"{self.channel.uuid}_{len(self.files)}.tmp.{extension}")
        with open(path, "wb") as file:
            file.write(audio)
        self.files.append(path)
        body = {name: value for name, value in data.items() if name != "audioData"} | {"file": path}
        self.event("play", json.dumps(body, separators=(",", ":")))
        return True


class AudioFork(Stream):
    """mod_audio_fork: drachtio's build, or with the ten-argument `start` jambonz's, which plays binary frames."""

    prefix = "mod_audio_fork"
    style = "lws"
    connect_s = 10.0

    def __init__(
        self, channel: Channel, url: str, mix: str, rate: int, metadata: str, *, bug: str, return_rate: int | None
    ) -> None:
        self.bug = bug
        self.return_rate = return_rate
        self.marks: list[tuple[str, int]] = []
        self._lump = bytearray()
        self._lump_bytes = 2 * 1280 * (return_rate or RATE) // RATE
        self._received = 0
        self._graceful = False
        super().__init__(channel, url, mix, rate, metadata)

    @classmethod
    def command(cls, channel: Channel, order: str) -> str:
        """`start <url> <mix> <rate> [bug] [metadata] [true true <return rate>]`, `stop`, `send_text`, …"""
        words = separate(order)
        forks = {tap.bug: tap for tap in channel.media.taps if isinstance(tap, cls)}
        verb, rest = (words[0] if words else ""), words[1:]
        if verb == "start":
            return cls._start(channel, rest, forks)
        bug = rest[0] if rest and not rest[0].startswith(("{", "[")) else "audio_fork"
        fork = forks.get(bug)
        if fork is None:
            return FAILED
        text = next((word for word in rest if word.startswith(("{", "["))), "")
        match verb:
            case "stop":
                fork.stop(text, reason="")
            case "send_text":
                if fork.socket is not None:
                    fork.socket.send_text(text)
            case "pause" | "resume":
                fork.paused = verb == "pause"
            case "stop_play":
                fork.kill()
            case "graceful-shutdown":
                fork.paused = True
                if fork.socket is not None:
                    fork.socket.send_binary(b"")
            case _:
                return FAILED
        return OK

    @classmethod
    def _start(cls, channel: Channel, words: list[str], forks: dict[str, AudioFork]) -> str:
        if len(words) < 3 or words[1] not in {"mono", "mixed", "stereo"}:
            return "-USAGE: <uuid> start <url> <mix-type> <sampling-rate> [bugname] [metadata]\n"
        rate = {"8k": 8000, "16k": 16000}.get(words[2]) or _number(words[2])
        bug = words[3] if len(words) > 3 else "audio_fork"
        if rate <= 0 or rate % 8000 or bug in forks or not channel.has_media:
            return FAILED
        metadata = words[4] if len(words) > 4 else ""
        both_ways = len(words) > 7 and words[5] == "true" and words[6] == "true"
        return_rate = _number(words[7]) if both_ways else None
        cls(channel, words[0], words[1], rate, metadata, bug=bug, return_rate=return_rate)
        return OK

    def opened(self) -> None:
        self._send_metadata()
        self.flush_waiting()
        self.event("connect")

    def failed(self, code: int, reason: str) -> None:
        self.remove()
        self.event("connect_failed", f'{{"reason":"{reason}"}}')

    def far_end_closed(self, how: Closed) -> None:
        self.event("disconnect")

    def binary(self, data: bytes) -> None:
        if self.return_rate is None:
            return
        self._lump += data
        if len(self._lump) < self._lump_bytes:
            return
        self._lump_bytes = 2 * 640 * self.return_rate // RATE
        whole = bytes(self._lump[: len(self._lump) // 2 * 2])
        del self._lump[: len(whole)]
        audio = resample(whole, self.return_rate)
        self._received += len(audio)
        self.play.audio += audio

    def sound(self, writing: bool) -> bytes | None:
        if not writing:
            return None
        frame = self.play.pop()
        while self.marks and (self.play.played >= self.marks[0][1] or not self.play.audio):
            self._tell(self.marks.pop(0)[0], "playout")
        return frame

    def _tell(self, name: str, event: str) -> None:
        if self.socket is not None:
            self.socket.send_text(f'{{"type": "mark", "data": {{"name":"{name}", "event": "{event}"}}}}')

    def kill(self) -> None:
        """`killAudio`: forget what is queued, marks come back as cleared."""
        self.play.audio.clear()
        self._lump.clear()
        for name, _ in self.marks:
            self._tell(name, "cleared")
        self.marks.clear()

    def text(self, message: str) -> None:
        try:
            whole = json.loads(message)
        except ValueError:
            return
        if not isinstance(whole, dict):
            return
        kind, data = whole.get("type", "json"), whole.get("data")
        if kind == "killAudio":
            self.kill()
            if self.channel.media.player is not None:
                self.channel.media.player.break_off()
            self.event("kill_audio")
        elif kind == "mark" and isinstance(data, dict):
            if len(self.marks) < 30:
                self.marks.append((str(data.get("name", "")), self._received))
        elif kind == "clearMarks":
            self.marks.clear()
        elif kind in {"transcription", "transfer", "disconnect", "error"}:
            self.event(str(kind), json.dumps(data))
        elif kind == "json":
            self.event("json", message)
        # playAudio is ignored in streaming mode; unknown types are only logged.


def _number(text: str) -> int:
    match = re.fullmatch(r"\d{1,7}", text)
    return int(match.group()) if match else 0


def _first_word(text: str) -> str:
    """The module splits on spaces, so that unquoted JSON loses its second half."""
    return next(iter(separate(text)), "")
