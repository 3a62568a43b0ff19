"""The switch's end of one call in `bench media`: what it sends, and what it notices of what comes back."""

from __future__ import annotations

import base64
import json
import os
import socket
import struct
import time
from typing import Final
from urllib.parse import urlsplit

from eslbridge.media import codec
from eslbridge.media.contract import FRAME_BYTES, FRAME_MS

_SO_TIMESTAMPNS: Final = 35
"""Linux: the kernel stamps each datagram on arrival, so that our own scheduling is not taken for the server's."""
_TIMESPEC: Final = struct.Struct("@qq")
_QUIET_S: Final = 0.25
"""No voice for this long after an interruption: the agent has stopped."""
_GIVE_UP_S: Final = 1.0
_SPEAKING_S: Final = 0.1
"""Voice within this time before an onset: there was something to interrupt."""
_LEAD_S: Final = 0.2
"""The beginning of an utterance, where a paced WebSocket leg sends ahead on purpose: no jitter is taken there."""


class Call:
    """Transport-independent: speaking in cycles, and measuring gaps and stops. Times are of the wall clock (s)."""

    def __init__(
        self, *, clip: list[bytes], onset_ms: int, cycle_frames: int, first_frame: int, transport: str
    ) -> None:
        self._clip = [self._packed(frame, transport) for frame in clip]
        self._hush = self._packed(bytes(FRAME_BYTES), transport)
        self._onset_frame, self._onset_rest_s = divmod(onset_ms, FRAME_MS)
        self._cycle = cycle_frames
        self._at = first_frame
        self.transport = transport
        self.address: tuple[str, int] = ("", 0)
        self.sent = 0
        self.received = 0
        self.jitter_ms: list[float] = []
        self.stop_ms: list[float] = []
        self.not_stopped = 0
        self._last_any = 0.0
        self._last_voice = 0.0
        self._voice_began = 0.0
        self._onset = 0.0
        self._measuring = False

    @staticmethod
    def _packed(frame: bytes, transport: str) -> bytes:
        return codec.encode(frame, "PCMU") if transport.endswith("g711") else frame

    def fileno(self) -> int:
        raise NotImplementedError

    def connect(self, udp: tuple[str, int], url: str) -> None:
        raise NotImplementedError

    def read(self) -> None:
        raise NotImplementedError

    def _send(self, frame: bytes) -> None:
        raise NotImplementedError

    def send_next(self, *, measuring: bool) -> None:
        """The caller's next 20 ms."""
        self._measuring = measuring
        at = self._at % self._cycle
        self._at += 1
        now = time.time()
        if self._onset:
            self._judge_stop(now)
        if at == self._onset_frame and measuring and now - self._last_voice < _SPEAKING_S:
            # A phone sends a frame when it is complete: what begins within this frame began up to 20 ms ago.
            self._onset = now - (FRAME_MS - self._onset_rest_s) / 1000
        self._send(self._clip[at] if at < len(self._clip) else self._hush)
        self.sent += 1

    def _judge_stop(self, now: float) -> None:
        if now - self._last_voice > _QUIET_S:
            self.stop_ms.append(max(self._last_voice - self._onset, 0.0) * 1000)
            self._onset = 0.0
        elif now - self._onset > _GIVE_UP_S:
            self.not_stopped += 1
            self._onset = 0.0

    def _noticed(self, at: float, is_voice: bool) -> None:
        """A frame arrived."""
        self.received += 1
        if is_voice:
            if at - self._last_voice > _SPEAKING_S:
                self._voice_began = at
            self._last_voice = at
        if self._measuring and self._comparable(at, is_voice):
            self.jitter_ms.append(abs(at - self._last_any - FRAME_MS / 1000) * 1000)
        self._last_any = at

    def _comparable(self, at: float, is_voice: bool) -> bool:
        return self._last_any > 0


class UdpCall(Call):
    """FreeSWITCH's socket for one call over direct UDP."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.setblocking(False)
        host, port = self._socket.getsockname()
        self.address = (host, port)

    def fileno(self) -> int:
        return self._socket.fileno()

    def connect(self, udp: tuple[str, int], url: str) -> None:
        self._socket.connect(udp)

    def _send(self, frame: bytes) -> None:
        self._socket.send(frame)

    @staticmethod
    def arrival(ancillary: list[tuple[int, int, bytes]]) -> float:
        """When the kernel got a datagram (s, wall clock)."""
        seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2])
        return float(seconds + nanoseconds / 1e9)

    def read(self) -> None:
        try:
            while True:
                data, ancillary, _, _ = self._socket.recvmsg(2048, 64)
                self._noticed(self.arrival(ancillary), data != self._hush)
        except BlockingIOError:
            return


class WebSocketCall(Call):
    """mod_audio_stream's connection, as bare as it may be: masked with zeros, and no more of the protocol than
    needed."""

    _socket: socket.socket

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self._buffer = bytearray()
        self._json = self.transport.endswith("json")

    def fileno(self) -> int:
        return self._socket.fileno()

    def connect(self, udp: tuple[str, int], url: str) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=5)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET {parts.path} HTTP/1.1\r\nHost:{parts.netloc}\r\nUpgrade:websocket\r\nConnection:upgrade\r\n"
            f"Sec-WebSocket-Key:{key}\r\nSec-WebSocket-Version:13\r\nOrigin:http://{parts.netloc}\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self._buffer:
            data = self._socket.recv(4096)
            if not data:
                break
            self._buffer += data
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            raise ConnectionError(f"refused: {head[:80]!r}")
        self._buffer = bytearray(rest)
        self._socket.setblocking(False)

    def _send(self, frame: bytes) -> None:
        self._socket.send(struct.pack("!BBH4x", 0x82, 0x80 | 126, len(frame)) + frame)

    def read(self) -> None:
        now = time.time()
        try:
            data = self._socket.recv(65536)
        except BlockingIOError:
            return
        self._buffer += data
        buffer = self._buffer
        at = 0
        while len(buffer) - at >= 2:
            size, head = buffer[at + 1] & 0x7F, 2
            if size == 126:
                if len(buffer) - at < 4:
                    break
                size, head = int.from_bytes(buffer[at + 2 : at + 4], "big"), 4
            if len(buffer) - at < head + size:
                break
            self._message(buffer[at] & 0x0F, bytes(buffer[at + head : at + head + size]), now)
            at += head + size
        del buffer[:at]

    def _message(self, opcode: int, payload: bytes, now: float) -> None:
        if opcode == 2:
            self._noticed(now, True)
        elif opcode == 1 and self._json and json.loads(payload).get("type") == "streamAudio":
            self._noticed(now, True)
        elif opcode == 9:
            self._socket.send(struct.pack("!BB4x", 0x8A, 0x80 | len(payload)) + payload)

    def _comparable(self, at: float, is_voice: bool) -> bool:
        # No silence is sent between utterances, and the first frames of one are sent ahead together.
        return at - self._voice_began > _LEAD_S and at - self._last_any < _SPEAKING_S
