"""One rig for each transport: a leg, and the far end that belongs to it, both in virtual time.

A rig's far end plays what it is sent as the real one does, so that a contract test can ask what the caller has heard.
"""

from __future__ import annotations

import base64
import json
import re
import socket

from eslbridge.media import codec
from eslbridge.media.audio_fork import ForkLeg
from eslbridge.media.audio_stream import CommunityLeg
from eslbridge.media.contract import FRAME_BYTES
from eslbridge.media.direct_udp import DirectUdpLeg, UdpRoad
from eslbridge.media.paced import BinaryLeg, JsonLeg
from eslbridge.media.tokens import Grant

CALL = "0a1b2c3d-0000-4000-8000-00000000000a"
FOLDER = "/var/lib/switch/tmp"
DOMAIN = "d0d0d0d0-0000-4000-8000-00000000000a"


class Wire:
    """A WebSocket that keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[bytes | dict] = []
        self.closed: int | None = None
        self.full = False

    def send_bytes(self, data: bytes) -> bool:
        if not self.full:
            self.sent.append(data)
        return not self.full

    def send_text(self, text: str) -> bool:
        if not self.full:
            self.sent.append(json.loads(text))
        return not self.full

    def close(self, code: int) -> None:
        self.closed = code

    def take(self) -> list[bytes | dict]:
        sent, self.sent = self.sent, []
        return sent

    def types(self) -> list[str]:
        """What was said in text, by type."""
        return [message["type"] for message in self.sent if isinstance(message, dict)]


class Rig:
    """Common: `run` lets time pass in steps of 20 ms, in which the far end plays 20 ms of what it has."""

    forgets_at_once = False
    loses_on_close = True

    def __init__(self, clock, counters) -> None:
        self.clock, self.counters = clock, counters
        self.buffer = b""
        self.ear = b""

    def run(self, ms: int) -> None:
        for _ in range(ms // 20):
            self.clock.run(20)
            self.collect()
            self.ear += self.buffer[:FRAME_BYTES].ljust(FRAME_BYTES, b"\0")
            self.buffer = self.buffer[FRAME_BYTES:]

    @property
    def voice_heard(self) -> bytes:
        return self.ear.strip(b"\0")

    def collect(self) -> None:
        """Take over what the leg has sent."""

    def finish(self) -> None:
        """Free sockets."""


class UdpRig(Rig):
    def __init__(self, clock, counters, law=None) -> None:
        super().__init__(clock, counters)
        self.law = law
        self.road = UdpRoad(counters)
        self.road.open("127.0.0.1", 0)
        clock.before_phase(self.road.drain)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.leg = DirectUdpLeg(CALL, self.socket.getsockname(), self.road, clock, counters, law=law, lost_after_s=60)

    def run(self, ms: int) -> None:
        for _ in range(ms // 20):
            self.leg._ahead_ms = 0  # a switch that keeps up
            super().run(20)

    def caller(self, frame: bytes) -> None:
        self.socket.sendto(codec.encode(frame, self.law) if self.law else frame, self.road.address)
        self.clock.run(5)

    def collect(self) -> None:
        while True:
            try:
                data = self.socket.recv(4096)
            except BlockingIOError:
                return
            self.buffer += codec.decode(data, self.law) if self.law else data

    def lose(self) -> None:
        self.leg._quiet_limit = 1
        self.clock.run(100)

    def finish(self) -> None:
        self.socket.close()
        self.road.close()


class G711Rig(UdpRig):
    def __init__(self, clock, counters) -> None:
        super().__init__(clock, counters, law="PCMU")


class WebSocketRig(Rig):
    kind = BinaryLeg

    def __init__(self, clock, counters) -> None:
        super().__init__(clock, counters)
        self.leg = self.make()
        self.wire = Wire()
        assert self.leg.opened(self.wire, Grant(CALL, DOMAIN, self.leg, 0.0))

    def make(self):
        return self.kind(CALL, self.clock, self.counters)

    def run(self, ms: int) -> None:
        for _ in range(ms // 20):
            self.leg._quiet_ticks = 0
            super().run(20)

    def caller(self, frame: bytes) -> None:
        self.leg.received_bytes(frame)

    def collect(self) -> None:
        self.buffer += b"".join(message for message in self.wire.take() if isinstance(message, bytes))

    def lose(self) -> None:
        self.leg.disconnected(1006)
        self.clock.run(400)


class JsonRig(WebSocketRig):
    kind = JsonLeg
    forgets_at_once = True

    def collect(self) -> None:
        for text in self.wire.take():
            if text["type"] == "streamAudio":
                assert text["data"]["audioDataType"] == "raw"
                assert text["data"]["sampleRate"] == 8000
                self.buffer += base64.b64decode(text["data"]["audioData"])
            elif text["type"] == "stopAudio":
                self.buffer = b""


class ForkRig(WebSocketRig):
    """Plays in lots as the module does: 1,280 samples at first, then 640; marks come back when the buffer runs dry.

    killAudio is a flag that the next frame played looks at: what came in the meantime is forgotten, too.
    """

    kind = ForkLeg
    forgets_at_once = True

    def __init__(self, clock, counters) -> None:
        self.threshold = 2560
        self.first = b""
        self.marks: list[str] = []
        self.kill = False
        super().__init__(clock, counters)

    def collect(self) -> None:
        for message in self.wire.take():
            if isinstance(message, bytes):
                self.first += message
                if len(self.first) >= self.threshold:
                    self.threshold = 1280
                    self.buffer += self.first
                    self.first = b""
            elif message["type"] == "killAudio":
                self.kill = True
            elif message["type"] == "mark":
                self.marks.append(message["data"]["name"])
        if self.kill:
            self.kill = False
            self.buffer = b""
            self.report("cleared")
        if not self.buffer:
            self.report("playout")

    def report(self, event: str) -> None:
        for name in self.marks:
            self.leg.received_text(json.dumps({"type": "mark", "data": {"name": name, "event": event}}))
        self.marks.clear()


class CommunityRig(WebSocketRig):
    """The switch writes a file for each message, reports it, and plays what it is told to."""

    forgets_at_once = True

    def __init__(self, clock, counters) -> None:
        self.files: dict[str, bytes] = {}
        self.queue: list[str] = []
        self.playing: str | None = None
        self.breaks = 0
        super().__init__(clock, counters)

    def make(self):
        return CommunityLeg(CALL, self.clock, self.counters, self)

    def play_file(self, path: str) -> None:
        assert re.fullmatch(rf"{FOLDER}/{CALL}_\d+\.tmp\.r8", path)
        self.queue.append(path)

    def break_all(self) -> None:
        self.breaks += 1
        self.queue.clear()
        self.buffer = b""
        if self.playing:
            path, self.playing = self.playing, None
            self.leg.file_finished(path)

    def collect(self) -> None:
        for text in self.wire.take():
            data = text["data"]
            path = f"{FOLDER}/{CALL}_{len(self.files)}.tmp.r8"
            self.files[path] = base64.b64decode(data.pop("audioData"))
            self.leg.file_ready(json.dumps({**data, "file": path}))
        if self.playing and not self.buffer:
            path, self.playing = self.playing, None
            self.leg.file_finished(path)
        if not self.playing and self.queue:
            self.playing = self.queue.pop(0)
            self.buffer = self.files[self.playing]
            self.leg.file_started(self.playing)


RIGS = {
    "direct-udp": UdpRig,
    "direct-udp-g711": G711Rig,
    "mod-audio-stream": CommunityRig,
    "mod-audio-stream-binary": WebSocketRig,
    "mod-audio-stream-json": JsonRig,
    "mod-audio-fork": ForkRig,
}
