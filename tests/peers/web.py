"""A real HTTP/1.1 server on loopback that does exactly what a script says: chunks cut anywhere, delays, dead ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Request:
    """What a client sent."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    connection: int
    """The how manyth connection it came on."""
    cut: bool = False
    """The client went away before it had the whole answer."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Reply:
    """The answer to one request, piece by piece."""

    def __init__(self, writer: asyncio.StreamWriter, request: Request) -> None:
        self._writer = writer
        self._request = request
        self.begun = False

    async def start(self, status: int = 200, content_type: str = "application/json", **headers: str) -> None:
        self.begun = True
        lines = [f"HTTP/1.1 {status} Scripted", f"Content-Type: {content_type}", "Transfer-Encoding: chunked"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self._writer.write("\r\n".join([*lines, "", ""]).encode())
        await self._drain()

    async def send(self, data: bytes) -> None:
        if data:
            self._writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await self._drain()

    async def in_pieces(self, data: bytes, size: int) -> None:
        """Each piece a chunk of its own that the client reads by itself."""
        for at in range(0, len(data), size):
            await self.send(data[at : at + size])
            await asyncio.sleep(0)

    async def end(self) -> None:
        self._writer.write(b"0\r\n\r\n")
        await self._drain()

    async def all(self, status: int, value: object, **headers: str) -> None:
        """A whole JSON answer."""
        await self.start(status, **headers)
        await self.send(json.dumps(value).encode())
        await self.end()

    def break_off(self) -> None:
        self._writer.transport.abort()

    async def hang(self) -> None:
        await asyncio.sleep(60)

    async def _drain(self) -> None:
        try:
            await self._writer.drain()
            if self._writer.transport.is_closing():
                raise ConnectionError
        except ConnectionError:
            self._request.cut = True
            raise


Step = Callable[[Request, Reply], Awaitable[None]]


@dataclass
class WebPeer:
    """Use it with `async with`. Each request takes the next step of `script`; without one, `usual` answers."""

    script: list[Step] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """What the vendor's types had against messages in either direction."""
    prefix: str = ""
    """Of the URL that clients are given."""
    _server: asyncio.Server | None = None
    _connections: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if error[0] is None:
            assert not self.problems, "\n".join(self.problems)

    @property
    def origin(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def url(self) -> str:
        return self.origin + self.prefix

    def then(self, *steps: Step) -> None:
        self.script += steps

    async def usual(self, request: Request, reply: Reply) -> None:
        await reply.all(404, {"error": {"message": "nothing scripted"}})

    def look_at(self, request: Request) -> None:
        """Judge what the client sent; a stand-in overrides it."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._connections += 1
        number = self._connections
        try:
            while (request := await _read(reader, number)) is not None:
                reply = Reply(writer, request)
                if request.method == "HEAD":  # a client that only wants the connection
                    writer.write(b"HTTP/1.1 404 Scripted\r\nContent-Length: 0\r\n\r\n")
                    continue
                self.requests.append(request)
                self.look_at(request)
                step = self.script.pop(0) if self.script else self.usual
                with suppress(ConnectionError):
                    await _while_there(reader, step(request, reply), request)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()


async def _while_there(reader: asyncio.StreamReader, answer: Awaitable[None], request: Request) -> None:
    """Answer, unless the client goes away: it sends nothing before it has its answer."""
    answering = asyncio.ensure_future(answer)
    gone = asyncio.ensure_future(_gone(reader))
    try:
        await asyncio.wait([answering, gone], return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            answering.result()
        else:
            request.cut = True
            raise ConnectionError
    finally:
        answering.cancel()
        gone.cancel()
        await asyncio.gather(answering, gone, return_exceptions=True)


async def _gone(reader: asyncio.StreamReader) -> None:
    while not reader.at_eof():
        if reader._buffer:  # type: ignore[attr-defined]
            await asyncio.sleep(0.01)
            continue
        await reader._wait_for_data("watch")  # type: ignore[attr-defined]


async def _read(reader: asyncio.StreamReader, connection: int) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    return Request(method, parts.path, dict(parse_qsl(parts.query)), headers, body, connection)


# Steps that any service may take


def refuses(status: int, value: object = None, **headers: str) -> Step:
    async def step(request: Request, reply: Reply) -> None:
        await reply.all(status, value or {"error": {"message": "no"}}, **headers)

    return step


async def hangs(request: Request, reply: Reply) -> None:
    await reply.hang()


async def breaks(request: Request, reply: Reply) -> None:
    reply.break_off()


def garbage(content_type: str = "text/html", data: bytes = b"<html>\xff out of order") -> Step:
    async def step(request: Request, reply: Reply) -> None:
        await reply.start(200, content_type)
        await reply.send(data)
        await reply.end()

    return step
