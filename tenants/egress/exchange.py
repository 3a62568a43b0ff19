"""One HTTP/1.1 request and its response, without a socket: bytes to send, bytes received.

h11 does the protocol. Nothing is asked for compressed, and nothing is unpacked: a small body cannot become a large one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import h11

from tenants.egress.errors import ResponseError
from tenants.egress.target import Target

RECEIVE: Final = 16 * 1024
"""Bytes asked of a socket at a time; also the most that a head of a response may have."""
MAX_INTERIM: Final = 10
"""1xx responses that are listened to before the real one."""
_OURS: Final = frozenset({"host", "content-length", "connection", "transfer-encoding", "upgrade", "expect"})


@dataclass(frozen=True, slots=True)
class Limits:
    """`connect_s` for all tries to connect, `total_s` from the start to the last byte, whatever trickles in between.

    A body beyond `max_body` bytes is cut there (`cut`), or is an error.
    """

    connect_s: float = 5.0
    total_s: float = 15.0
    max_body: int = 64 * 1024
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """What came back. Names of headers are in lower case; redirects (3xx) come back as they are."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False
    """There was more."""


class Exchange:
    """Feed `receive` until it gives the response; `b""` says that the other side has closed."""

    def __init__(self, target: Target, method: str, headers: Mapping[str, str], body: bytes, limits: Limits) -> None:
        """Raises ValueError for headers that are ours to set, or that HTTP does not know."""
        if taken := _OURS & {name.lower() for name in headers}:
            raise ValueError(f"not for the caller to set: {', '.join(sorted(taken))}")
        self._limits = limits
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=RECEIVE)
        every = [("Host", target.host_header), *headers.items(), ("Connection", "close")]
        if body or method not in ("GET", "HEAD", "DELETE"):
            every.append(("Content-Length", str(len(body))))
        try:
            request = h11.Request(method=method, target=target.path, headers=every)
            self.outgoing = self._connection.send(request) or b""
            if body:
                self.outgoing += self._connection.send(h11.Data(data=body)) or b""
            self.outgoing += self._connection.send(h11.EndOfMessage()) or b""
        except h11.LocalProtocolError as error:
            raise ValueError(str(error)) from error
        self._head: h11.Response | None = None
        self._body = bytearray()
        self._interim = 0

    def receive(self, data: bytes) -> Response | None:
        """The response, once it is whole (or cut). Raises ResponseError."""
        try:
            self._connection.receive_data(data)
            while True:
                event = self._connection.next_event()
                if event is h11.NEED_DATA:
                    return None
                if (response := self._take(event)) is not None:
                    return response
        except h11.RemoteProtocolError as error:
            raise ResponseError("protocol", "The receiver's answer is not HTTP.") from error

    def _take(self, event: object) -> Response | None:
        if isinstance(event, h11.InformationalResponse):
            self._interim += 1
            if self._interim > MAX_INTERIM or event.status_code == 101:
                raise ResponseError("protocol", "The receiver's answer is not what was asked for.")
        elif isinstance(event, h11.Response):
            self._head = event
        elif isinstance(event, h11.Data):
            room = self._limits.max_body - len(self._body)
            self._body += event.data[: max(0, room)]
            if len(event.data) > room:
                if not self._limits.cut:
                    raise ResponseError("too_large", f"The answer is longer than {self._limits.max_body} bytes.")
                return self._response(cut=True)
        elif isinstance(event, h11.EndOfMessage):
            return self._response()
        elif isinstance(event, h11.ConnectionClosed):
            raise ResponseError("protocol", "The receiver closed the connection without an answer.")
        return None

    def _response(self, *, cut: bool = False) -> Response:
        if self._head is None:
            raise ResponseError("protocol", "The receiver's answer is not HTTP.")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self._head.headers}
        return Response(self._head.status_code, headers, bytes(self._body), cut)
