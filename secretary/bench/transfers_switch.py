"""The telephone side of `bench transfers`: callers, colleagues, and a voice node reduced to its socket.

The node takes a caller's leg and keeps it; takes a colleague's leg, waits a moment, and connects the two or declines,
by the commands that the voice node sends; and says goodbye to a caller whose transfer has come to nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from eslbridge.simulator import Caller, Extension, StandInSwitch
from eslbridge.simulator.channel import Channel

SECRETARY: Final = "8001"
DECIDE_S: Final = 0.3
ACCEPTS, BUSY, AWAY, UNREGISTERED, REJECTS, DECLINES = (str(number) for number in range(1001, 1007))
COLLEAGUES: Final = (ACCEPTS, BUSY, AWAY, UNREGISTERED, REJECTS, DECLINES)

Decided = Callable[[str, bool], Awaitable[None]]


def colleagues(domain: str) -> list[Extension]:
    """One of each kind. Whoever talks hangs up after 1.5 s."""
    return [
        Extension(ACCEPTS, domain, answer_after_s=0.3, hang_up_after_s=1.5, steps=()),
        Extension(BUSY, domain, "busy", 0.1),
        Extension(AWAY, domain, "no_answer"),
        Extension(UNREGISTERED, domain, "unregistered"),
        Extension(REJECTS, domain, "reject", 0.2),
        Extension(DECLINES, domain, answer_after_s=0.3, hang_up_after_s=3.0, steps=()),
    ]


class Node:
    """Listens where `socket` connects to. `decided` hears of each colleague's decision."""

    def __init__(self, switch: StandInSwitch, decided: Decided) -> None:
        self.switch, self._decided = switch, decided
        self.port = 0
        self.for_call: dict[str, str] = {}
        """The caller's channel, by the colleague's leg."""
        self._server: asyncio.Server | None = None
        self._work: set[asyncio.Task[None]] = set()
        self.seen: set[str] = set()
        """Callers who have been here: whoever comes again was put through in vain."""

    async def __aenter__(self) -> Node:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._work):
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    async def place(self, domain: str, count: int) -> list[Channel]:
        """Callers who talk to a secretary."""
        calls = [self.switch.place_call(domain, SECRETARY, Caller(patience_ms=None)) for _ in range(count)]
        async with asyncio.timeout(30):
            while not all(call.uuid in self.seen for call in calls):  # noqa: ASYNC110 - as they come
                await asyncio.sleep(0.02)
        return calls

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._work.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await self._take(reader, writer)
        finally:
            writer.close()
            if task is not None:
                self._work.discard(task)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"connect\n\n")
        head = (await reader.readuntil(b"\n\n")).decode()
        uuid = next(line.partition(": ")[2] for line in head.split("\n") if line.startswith("Unique-ID: "))
        if uuid in self.for_call:
            await asyncio.sleep(DECIDE_S)
            accepted = f"Destination-Number: {ACCEPTS}\n" in head
            await self._say(reader, writer, self._commands(uuid, accepted))
            await self._decided(uuid, accepted)
        elif uuid in self.seen:
            await self._say(reader, writer, [f"api uuid_kill {uuid} NORMAL_CLEARING"])
        else:
            self.seen.add(uuid)
        while await reader.read(4096):
            pass

    def _commands(self, leg: str, accepted: bool) -> list[str]:
        if not accepted:
            return [f"api uuid_kill {leg} NORMAL_CLEARING"]
        caller = self.for_call[leg]
        both = [f"api uuid_setvar {one} {name} {value}" for one in (caller, leg)
                for name, value in (("socket_resume", "false"), ("hangup_after_bridge", "true"))]  # fmt: skip
        return [*both, f"api uuid_bridge {caller} {leg}"]

    @staticmethod
    async def _say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lines: list[str]) -> None:
        for line in lines:
            writer.write(f"{line}\n\n".encode())
            head = await reader.readuntil(b"\n\n")
            length = next((part for part in head.split(b"\n") if part.lower().startswith(b"content-length:")), b":0")
            await reader.readexactly(int(length.partition(b":")[2]))

    def stranded(self, calls: list[Channel]) -> int:
        """Callers who are on the line with nobody: neither a colleague nor a node."""
        alone = [call for call in calls if not call.is_down and call.other_leg is None and not call.listeners]
        return len(alone)

    def channels(self) -> int:
        """What `show channels` of the switch says."""
        shown: dict[str, int] = json.loads(self.switch.api.call("show", "channels as json"))
        return shown["row_count"]
