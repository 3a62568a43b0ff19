"""mod_audio_fork: drachtio's build, which plays nothing, and jambonz's, which plays binary frames.

Facts from jambonz's build on FreeSWITCH 1.11: on a parked channel nothing is played and no mark returns unless
something writes (`send_silence_when_idle`); audio reaches the play-out in lumps, first of 1,280 samples, then of 640;
odd bytes are carried over; at most 30 marks are outstanding; a graceful shutdown sends one empty binary frame.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from eslbridge.simulator.arguments import separate
from eslbridge.simulator.audio import RATE, resample
from eslbridge.simulator.media_ws import FAILED, OK, Stream, number
from eslbridge.simulator.ws_client import Closed

if TYPE_CHECKING:
    from eslbridge.simulator.channel import Channel


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
        rate = {"8k": 8000, "16k": 16000}.get(words[2]) or number(words[2])
        bug = words[3] if len(words) > 3 else "audio_fork"
        if rate <= 0 or rate % 8000 or bug in forks or not channel.has_media:
            return FAILED
        metadata = words[4] if len(words) > 4 else ""
        both_ways = len(words) > 7 and words[5] == "true" and words[6] == "true"
        return_rate = number(words[7]) if both_ways else None
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
