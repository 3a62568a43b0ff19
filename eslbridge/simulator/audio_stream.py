"""mod_audio_stream, in the community's build and in those that play audio back.

Facts from FreeSWITCH 1.11: a server has 1 s to accept; the audio queued meanwhile comes before the metadata; after the
server's close the media bug stays, and `start` fails until `stop`; after a broken connection it is gone, and `start`
works. The community's build plays nothing: `streamAudio` becomes a file and an event, binary frames are ignored.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import tempfile
from typing import TYPE_CHECKING

from eslbridge.simulator.arguments import separate
from eslbridge.simulator.audio import RATE, resample
from eslbridge.simulator.media_ws import FAILED, OK, Stream, first_word, number
from eslbridge.simulator.ws_client import Closed

if TYPE_CHECKING:
    from eslbridge.simulator.channel import Channel

_EXTENSIONS = {"wav": "wav", "mp3": "mp3", "ogg": "ogg", "pcmu": "pcmu", "pcma": "pcma"}
_RAW_EXTENSIONS = {8000: "r8", 16000: "r16", 24000: "r24", 32000: "r32", 48000: "r48", 64000: "r64"}


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
                running.stop(first_word(rest))
            case "pause":
                running.paused = True
            case "resume":
                running.paused = False
            case "send_text":
                if running.socket is not None:
                    running.socket.send_text(first_word(rest))
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
        rate = {"8k": 8000, "16k": 16000}.get(words[2] if len(words) > 2 else "8k") or number(words[2])
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
