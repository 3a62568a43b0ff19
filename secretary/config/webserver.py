"""daphne as `web` runs it: `python -m secretary.config.webserver -b HOST -p PORT` (daphne's own options).

daphne by itself keeps a whole body in a temporary file before any of our code sees the request, and waits for as long
as a byte comes each minute: a stranger could fill the disk, or hold every connection (slowloris). Here a body beyond
MAX_BODY ends the connection while it arrives, and whoever is slower than MIN_RATE is cut off.
"""

from __future__ import annotations

import sys
import time
from typing import Any, Final

import daphne.server
from daphne.cli import CommandLineInterface
from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.internet import reactor as _reactor
from twisted.web.http import HTTPChannel

from secretary.config.body_limit import MAX_BODY, REFUSAL

APPLICATION: Final = "secretary.config.asgi:application"
PATIENCE_S: Final = 30.0
"""How long a request may take to arrive, and a kept connection may be idle."""
MIN_RATE: Final = 8 * 1024
"""Bytes of a body that buy one more second."""
LOOK_S: Final = 5.0

reactor: Any = _reactor


class Request(WebRequest):  # type: ignore[misc]
    """A request whose body is counted while it comes."""

    come = 0
    refused = False
    complete = False
    """The request is here, and it is our turn."""

    def gotLength(self, length: int | None) -> None:
        """The headers are here. `length` is None for a body in chunks."""
        # daphne takes this header from anybody, and would put what it says before every address that we write.
        self.requestHeaders.removeHeader(b"daphne-root-path")
        too_long = length is not None and length > MAX_BODY
        super().gotLength(0 if too_long else length)
        if too_long:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        self.come += len(data)
        if self.refused:
            return
        if self.come > MAX_BODY:
            self._refuse()
        else:
            super().handleContentChunk(data)

    def process(self) -> Any:
        self.complete = True
        return None if self.refused else super().process()

    def _refuse(self) -> None:
        self.refused = True
        head = (
            "HTTP/1.1 413 Request Entity Too Large\r\nContent-Type: application/problem+json\r\n"
            f"Content-Length: {len(REFUSAL)}\r\nConnection: close\r\n\r\n"
        )
        self.channel.transport.write(head.encode() + REFUSAL)
        self.channel.loseConnection()


class PatientChannel(HTTPChannel):
    """A connection that is looked at now and then: has what it was given time for arrived?"""

    def connectionMade(self) -> None:
        super().connectionMade()  # type: ignore[no-untyped-call]
        self.wire: Any = self.transport  # a WebSocket takes `transport` away
        self.since = time.monotonic()
        self.looking: Any = reactor.callLater(LOOK_S, self.look)

    def connectionLost(self, reason: Any) -> None:  # type: ignore[override]
        if self.looking.active():
            self.looking.cancel()
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def look(self) -> None:
        """Cut off who is too slow. What we take to answer is not counted."""
        if self.wire.disconnected:
            return
        last = self.requests[-1] if self.requests else None
        now = time.monotonic()
        if last is not None and last.complete and not last.refused:
            self.since = now
        elif now - self.since > PATIENCE_S + (last.come if last is not None else 0) / MIN_RATE:
            self.wire.abortConnection()
            return
        self.looking = reactor.callLater(LOOK_S, self.look)


class PatientFactory(HTTPFactory):  # type: ignore[misc]
    protocol = PatientChannel

    def buildProtocol(self, addr: Any) -> Any:
        channel = super().buildProtocol(addr)
        channel.requestFactory = Request
        return channel


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM. `arguments` are daphne's; the application is ours."""
    daphne.server.HTTPFactory = PatientFactory  # daphne has no setting for it
    # Quiet unless asked: its access log shows whole addresses, and those of invitations and forgotten passwords hold
    # the token. Whoever wants one has it from the proxy.
    CommandLineInterface().run(["-v", "0", *(sys.argv[1:] if arguments is None else arguments), APPLICATION])


if __name__ == "__main__":
    main()
