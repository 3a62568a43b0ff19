"""A voice node reduced to its wire: a raw ESL peer that shares no code with the switch or the product."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import unquote


@dataclass
class Message:
    """One ESL message: its own headers, and for an event the inner ones (undecoded), and the body."""

    headers: dict[str, str]
    body: bytes = b""

    @property
    def kind(self) -> str:
        return self.headers.get("Content-Type", "")

    @property
    def event(self) -> dict[str, str]:
        """The headers of a plain event, decoded."""
        block = self.body.split(b"\n\n")[0].decode()
        return {name: unquote(value) for name, _, value in (line.partition(": ") for line in block.splitlines())}

    @property
    def name(self) -> str:
        return self.event.get("Event-Name", "") if self.kind == "text/event-plain" else ""


class Wire:
    """Reads messages, sends commands."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.events: list[Message] = []
        self.notices: list[Message] = []

    @classmethod
    async def login(cls, port: int) -> Wire:
        wire = cls(*await asyncio.open_connection("127.0.0.1", port))
        assert (await wire.read()).kind == "auth/request"
        wire.send("auth ClueCon")
        assert (await wire.read()).headers["Reply-Text"] == "+OK accepted"
        return wire

    def send(self, text: str) -> None:
        self.writer.write(text.encode() + b"\n\n")

    async def read(self) -> Message:
        """The next message of any kind. Raises IncompleteReadError at the end."""
        async with asyncio.timeout(10):
            block = await self.reader.readuntil(b"\n\n")
            headers = {}
            for line in block.decode("utf-8", "surrogateescape").strip("\n").split("\n"):
                name, _, value = line.partition(": ")
                headers.setdefault(name, value)
            body = await self.reader.readexactly(int(headers.get("Content-Length", "0")))
            return Message(headers, body)

    async def reply(self) -> Message:
        """The next reply; events and notices on the way are kept."""
        while True:
            message = await self.read()
            if message.kind in ("command/reply", "api/response") or "Event-Name" in message.headers:
                return message
            self._keep(message)

    def _keep(self, message: Message) -> None:
        (self.notices if message.kind == "text/disconnect-notice" else self.events).append(message)

    async def ask(self, text: str) -> str:
        """A command's Reply-Text or api body."""
        self.send(text)
        message = await self.reply()
        return message.headers.get("Reply-Text") or message.body.decode()

    async def next_event(self) -> Message:
        """The next event, kept or fresh."""
        while not self.events:
            self._keep(await self.read())
        return self.events.pop(0)

    async def event(self, name: str, **fields: str) -> dict[str, str]:
        """The next event of that name (fields with underscores for dashes must match)."""
        wanted = {key.replace("_", "-"): value for key, value in fields.items()}
        while True:
            for index, message in enumerate(self.events):
                if message.name == name and all(message.event.get(key) == value for key, value in wanted.items()):
                    return self.events.pop(index).event
            self._keep(await self.read())

    async def execute(self, app: str, data: str = "", *, uuid: str = "", lock: bool = True) -> str:
        lines = ["sendmsg", "call-command: execute", f"execute-app-name: {app}", f"execute-app-arg: {data}"]
        lines += ["event-lock: true"] if lock else []
        lines += [f"Event-UUID: {uuid}"] if uuid else []
        return await self.ask("\n".join(lines))

    async def unicast(self, local: int, remote: int, *, native: bool = False) -> str:
        lines = ["sendmsg", "call-command: unicast", "local-ip: 127.0.0.1", f"local-port: {local}"]
        lines += ["remote-ip: 127.0.0.1", f"remote-port: {remote}", "transport: udp"]
        return await self.ask("\n".join([*lines, "flags: native"] if native else lines))

    async def until_end(self) -> None:
        try:
            while True:
                self._keep(await self.read())
        except (asyncio.IncompleteReadError, ConnectionError):
            return

    def close(self) -> None:
        self.writer.close()


Handler = Callable[["Wire"], Awaitable[None]]


class Node:
    """Listens for outbound ESL connections; each runs `handler`."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.port = 0
        self.calls = 0
        self.errors: list[BaseException] = []
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Node:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.calls += 1
        try:
            await self.handler(Wire(reader, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except Exception as error:
            self.errors.append(error)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if exc == (None, None, None):
            assert not self.errors, self.errors


async def until(ready: Callable[[], object], *, seconds: float = 5.0) -> None:
    """Look again every few milliseconds; TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not ready():
            await asyncio.sleep(0.003)


def free_port() -> int:
    """A UDP port nobody uses at the moment."""
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
