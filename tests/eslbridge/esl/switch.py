"""The far side of an Event Socket for tests: a FreeSWITCH that answers as the recorded one did."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

from tests.eslbridge.esl.conftest import reads

RECORDED_UUID = "c0e06181-846d-4979-91c0-29cd8b32c17d"
NOTICE = (
    b"Content-Type: text/disconnect-notice\nControlled-Session-UUID: c0e06181-846d-4979-91c0-29cd8b32c17d\n"
    b"Content-Disposition: disconnect\nContent-Length: 67\n\n"
    b"Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
)
LINGER_NOTICE = (
    b"Content-Type: text/disconnect-notice\nControlled-Session-UUID: c0e06181-846d-4979-91c0-29cd8b32c17d\n"
    b"Content-Disposition: linger\nChannel-Name: sofia/internal/1000@127.0.0.1\nLinger-Time: 10\nContent-Length: 0\n\n"
)
CONNECT_REPLY = reads("esl-outbound-session")[0]


def reply(text: str, *headers: str) -> bytes:
    return "\n".join(["Content-Type: command/reply", f"Reply-Text: {text}", *headers, "", ""]).encode()


def api(text: str) -> bytes:
    body = text.encode()
    return f"Content-Type: api/response\nContent-Length: {len(body)}\n\n".encode() + body


def event(name: str, **headers: Any) -> bytes:
    """An event as JSON, of the recorded channel unless `Unique_ID` says otherwise (`_` in a name stands for `-`)."""
    fields = {"Event-Name": name, "Unique-ID": RECORDED_UUID}
    fields |= {key if key.startswith("_") else key.replace("_", "-"): value for key, value in headers.items()}
    body = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    return f"Content-Length: {len(body)}\nContent-Type: text/event-json\n\n".encode() + body


_running: set[asyncio.Task[None]] = set()
"""The event loop knows tasks only weakly: a switch that a test does not keep would vanish in the middle of it."""


class Switch:
    """One connection, seen from the switch: what it was told, and what it answers.

    `answers` maps the start of a command to its answer, or a function of the command; None answers nothing.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.said: list[str] = []
        self.closed = False
        self.closes = True
        self.answers: dict[str, bytes | Callable[[str], bytes | None] | None] = {
            "connect": CONNECT_REPLY,
            "api sched_del": api("+OK Deleted: 1\n"),
            "api uuid_exists": api("true"),
            "api": api("+OK\n"),
            "bgapi": lambda command: reply(f"+OK Job-UUID: {job(command)}", f"Job-UUID: {job(command)}"),
            "linger": reply("+OK will linger 10 seconds"),
            "myevents": reply("+OK Events Enabled"),
            "event": reply("+OK event listener enabled json"),
            "sendmsg": reply("+OK"),
            "auth": reply("+OK accepted"),
            "exit": reply("+OK bye") + NOTICE,
        }
        self._heard = asyncio.Event()
        self.task = asyncio.create_task(self._run())
        _running.add(self.task)
        self.task.add_done_callback(_running.discard)

    @classmethod
    async def dial(cls, port: int, *, origin: str = "127.0.0.1") -> Switch:
        """Connect, from this address of the machine."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, local_addr=(origin, 0)))

    async def _run(self) -> None:
        try:
            while True:
                command = (await self.reader.readuntil(b"\n\n")).decode()[:-2]
                self.said.append(command)
                self._heard.set()
                answer = self.answers[max((key for key in self.answers if command.startswith(key)), key=len)]
                answer = answer(command) if callable(answer) else answer
                if answer:
                    self.send(answer)
                if command == "exit" and self.closes:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.writer.close()
        self.closed = True
        self._heard.set()

    def send(self, *data: bytes) -> None:
        self.writer.write(b"".join(data))

    async def heard(self, start: str, timeout_s: float = 3.0) -> str:
        """Wait for a command that starts so, and give it."""
        async with asyncio.timeout(timeout_s):
            while True:
                found = next((command for command in self.said if command.startswith(start)), None)
                if found is not None:
                    return found
                self._heard.clear()
                await self._heard.wait()

    async def gone(self, timeout_s: float = 3.0) -> None:
        """Wait until the other side has closed."""
        async with asyncio.timeout(timeout_s):
            await self.task

    def hang_up(self, cause: str = "NORMAL_CLEARING") -> None:
        """The caller hangs up: the events in the recorded order."""
        gone = {"Answer_State": "hangup", "Hangup_Cause": cause}
        self.send(
            event("CHANNEL_HANGUP", **gone),
            event("CHANNEL_UNPARK", **gone),
            event("CHANNEL_EXECUTE_COMPLETE", Application="socket", **gone),
            event("CHANNEL_HANGUP_COMPLETE", **gone),
            LINGER_NOTICE,
        )

    def end(self) -> None:
        """Cut the connection without a word."""
        self.writer.transport.abort()


def job(command: str) -> str:
    found = re.search(r"Job-UUID: (\S+)", command)
    return found.group(1) if found else ""
