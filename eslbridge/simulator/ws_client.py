"""A WebSocket client that writes its handshake the way the audio modules do. Frames by the websockets library.

mod_audio_stream (libwsc) sends its headers without a space after the colon, the port always in Host, no extension and
no subprotocol; mod_audio_fork (libwebsockets) asks for `audio.drachtio.org`, Host and Origin without the port.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Protocol, Side, State

MAX_RESPONSE_BYTES = 65536


class UpgradeError(Exception):
    """The server answered, but not with 101."""


@dataclass(frozen=True, slots=True)
class Closed:
    """How a connection ended: the server's close code and reason, or None when it just broke."""

    code: int | None
    reason: str = ""


class RawWebSocket:
    """One client connection. Iterate `messages` for `str` and `bytes`; afterwards `closed` says how it ended."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.closed: Closed | None = None
        self.closing = False
        self.ended = asyncio.Event()
        self._protocol = Protocol(Side.CLIENT, state=State.OPEN, max_size=None)

    @classmethod
    async def connect(cls, url: str, *, style: str, headers: dict[str, str]) -> RawWebSocket:
        """Connect and upgrade; `style` is `libwsc` or `lws`. Raises `OSError` or `UpgradeError`; bound it in time."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
        path = parts.path + (f"?{parts.query}" if parts.query else "") or "/"
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(_request(style, host, port, path, headers))
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 101"):
                raise UpgradeError(head.split(b"\r\n", 1)[0].decode("latin-1"))
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            writer.close()
            raise UpgradeError("no answer") from error
        except BaseException:
            writer.close()
            raise
        return cls(reader, writer)

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self.writer.write(data)

    def _open(self) -> bool:
        return self._protocol.state is State.OPEN and not self.closing and not self.writer.is_closing()

    def send_text(self, text: str) -> None:
        if self._open():
            self._protocol.send_text(text.encode("utf-8", "surrogateescape"))
            self._flush()

    def send_binary(self, data: bytes) -> None:
        if self._open():
            self._protocol.send_binary(data)
            self._flush()

    def send_ping(self, payload: bytes = b"ping") -> None:
        if self._open():
            self._protocol.send_ping(payload)
            self._flush()

    async def close(self, reason: str = "", *, patience_s: float = 1.0) -> None:
        """CLOSE 1000, at most a second for the server's, then away."""
        if self._open():
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE, reason)
            self._flush()
            self.closing = True
            try:
                async with asyncio.timeout(patience_s):
                    await self.ended.wait()
            except TimeoutError:
                pass
        self.writer.close()

    def abort(self) -> None:
        """Break the TCP connection without a close frame."""
        self.writer.transport.abort()

    async def messages(self) -> AsyncIterator[str | bytes]:
        """Every message until the end; pings are answered, fragments joined."""
        try:
            async for message in self._read():
                yield message
        finally:
            self.ended.set()

    async def _read(self) -> AsyncIterator[str | bytes]:
        parts: list[bytes] = []
        kind = Opcode.BINARY
        while self.closed is None:
            try:
                data = await self.reader.read(65536)
            except OSError:
                data = b""
            if not data:
                self.closed = Closed(None)
                return
            self._protocol.receive_data(data)
            for event in self._protocol.events_received():
                assert isinstance(event, Frame)  # noqa: S101 - an open client connection yields frames only
                if event.opcode is Opcode.CLOSE:
                    close = self._protocol.close_rcvd
                    self.closed = Closed(close.code if close else 1005, close.reason if close else "")
                    break
                if event.opcode in (Opcode.TEXT, Opcode.BINARY):
                    kind, parts = event.opcode, [bytes(event.data)]
                elif event.opcode is Opcode.CONT:
                    parts.append(bytes(event.data))
                else:
                    continue
                if event.fin:
                    whole = b"".join(parts)
                    yield whole.decode("utf-8", "surrogateescape") if kind is Opcode.TEXT else whole
            self._flush()


def _request(style: str, host: str, port: int, path: str, headers: dict[str, str]) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    if style == "libwsc":
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host:{host}:{port}",
            "Upgrade:websocket",
            "Connection:upgrade",
            f"Sec-WebSocket-Key:{key}",
            "Sec-WebSocket-Version:13",
            f"Origin:http://{host}:{port}",
            *(f"{name}:{value}" for name, value in headers.items()),
        ]
    else:
        lines = [
            f"GET {path} HTTP/1.1",
            "Pragma: no-cache",
            "Cache-Control: no-cache",
            f"Host: {host}",
            f"Origin: http://{host}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Protocol: audio.drachtio.org",
            "Sec-WebSocket-Version: 13",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
