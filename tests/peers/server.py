"""The core of every stand-in: a real WebSocket server on loopback that keeps and checks what it gets and gives.

    async with OpenAIPeer() as peer:
        … connect to peer.url …
        peer.received        # what came, as read; binary messages as bytes
        await peer.send(…)   # on the newest connection
    # leaving raises when any message, either way, did not fit the vendor's types

A stand-in says what its vendor does in `talk`, one call for each connection.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextvars import ContextVar
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.peers.strict import WireFault

_answered: ContextVar[ServerConnection | None] = ContextVar("answered", default=None)


class Peer:
    """Subclasses say what is checked (`fits_client`, `fits_server`) and what is done (`talk`)."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self.sent: list[Any] = []
        self.faults: list[str] = []
        self.requests: list[Request] = []
        self.connections: list[ServerConnection] = []
        self.refuse_with = 0
        """HTTP status that every handshake is answered with; 0: none."""
        self.silent = False
        """Take connections and say nothing."""
        self._server: Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()

    # What a vendor is ---------------------------------------------------------------------------------------------

    def fits_client(self, message: Any) -> None:
        """Raises WireFault."""

    def fits_server(self, message: Any) -> None:
        """Raises WireFault."""

    async def talk(self, connection: ServerConnection) -> None:
        raise NotImplementedError

    def answer(self, request: Request) -> Response | None:
        """What a plain HTTP request gets; None: it is a WebSocket's."""
        return None

    # What a test does ---------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await serve(self._serve, "127.0.0.1", 0, process_request=self._judge, compression=None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        for task in self._tasks:
            task.cancel()
        for connection in self.connections:
            connection.transport.abort()
        self._server.close()
        await self._server.wait_closed()
        if self.faults and error is None:
            raise WireFault("\n".join(self.faults))

    async def send(self, message: Any, connection: ServerConnection | None = None) -> None:
        """A message of the vendor's protocol, checked; bytes as they are. On the connection that is being answered."""
        if not isinstance(message, bytes):
            try:
                self.fits_server(message)
            except WireFault as fault:
                self.faults.append(f"the stand-in sent {message}: {fault}")
        self.sent.append(message)
        try:
            await (connection or self.current).send(self.encoded(message))
        except ConnectionClosed:
            pass

    def encoded(self, message: Any) -> str | bytes:
        """A message as the vendor puts it on the wire."""
        return message if isinstance(message, bytes) else json.dumps(message)

    async def raw(self, text: str | bytes) -> None:
        """Something that is no message of the protocol."""
        await self.connections[-1].send(text)

    async def close(self, code: int, reason: str = "") -> None:
        await self.connections[-1].close(code, reason)

    @property
    def current(self) -> ServerConnection:
        """The connection whose message is being answered; for a test, the newest."""
        return _answered.get() or self.connections[-1]

    async def until(self, true: Callable[[], Any], timeout_s: float = 5.0) -> Any:
        """Wait until what was received makes this true; gives what it gave."""
        async with asyncio.timeout(timeout_s):
            while not (found := true()):
                self._news.clear()
                await self._news.wait()
            return found

    def of(self, kind: str) -> list[Any]:
        """Received messages of this type."""
        return [message for message in self.received if isinstance(message, dict) and message.get("type") == kind]

    # How it is done -----------------------------------------------------------------------------------------------

    async def read(self, connection: ServerConnection) -> Any:
        """The next message, checked and kept. Raises ConnectionClosed."""
        raw = await connection.recv()
        message = raw if isinstance(raw, bytes) else json.loads(raw)
        try:
            self.fits_client(message)
        except WireFault as fault:
            self.faults.append(f"we sent {message!r}: {fault}")
        self.received.append(message)
        self._news.set()
        return message

    def background(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _judge(self, connection: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        if self.refuse_with:
            return connection.respond(HTTPStatus(self.refuse_with), "no: sk-secret\n")
        return self.answer(request)

    async def _serve(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        _answered.set(connection)  # for all that is done in answer to it
        self._news.set()
        try:
            if self.silent:
                await connection.wait_closed()
            else:
                await self.talk(connection)
        except ConnectionClosed:
            pass
        except Exception as error:
            self.faults.append(f"the stand-in broke: {error!r}")
            raise
