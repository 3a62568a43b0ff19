"""One ESL connection as FreeSWITCH's listener sees it: commands in, replies and events out.

Facts from FreeSWITCH 1.11: leading blank lines are ignored; CRLF is taken; a header block may have 10 MiB and a body
16 MiB; a reply's text is cut at 511 bytes; events wait while a command is half received; commands run one after the
other, and events wait behind a running `api`; on a half-close what was received is still answered.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import deque
from dataclasses import dataclass, field
from typing import cast

from eslbridge.simulator.events import Event
from eslbridge.simulator.subscription import Subscription

log = logging.getLogger("standin_switch")

MAX_HEADER_BYTES = 10 * 1024 * 1024
MAX_BODY_BYTES = 16 * 1024 * 1024
MAX_REPLY_BYTES = 511
MAX_LOST_EVENTS = 500
GOODBYE = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
_END_OF_BLOCK = re.compile(rb"\n\r?\n")


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the peer: first line, headers by lower-case name (first wins), body."""

    line: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


class EslPeer(asyncio.Protocol):
    """The connection. Subclasses say what a command does (`handle`) and what ends with it (`gone`)."""

    def __init__(self, event_queue: int = 100_000) -> None:
        self.subscription = Subscription()
        self.transport: asyncio.Transport | None = None
        self.commands: asyncio.Queue[Command | None] = asyncio.Queue()
        self.closing = False
        self.lost_events = 0
        self.event_limit = event_queue
        self._buffer = bytearray()
        self._body_of: tuple[Command, int] | None = None
        self._events: deque[Event] = deque()
        self._flush_due = False
        self._busy = False
        self._paused = False
        self._worker: asyncio.Task[None] | None = None

    # Subclasses ------------------------------------------------------------------------------------

    async def handle(self, command: Command) -> None:
        raise NotImplementedError

    def opened(self) -> None:
        """The connection stands: send a greeting, start watching."""

    def gone(self) -> None:
        """The connection has ended. Called once."""

    # Reading ---------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._worker = asyncio.get_running_loop().create_task(self._work())
        self.opened()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._parse_one():
            pass
        if len(self._buffer) > MAX_BODY_BYTES + MAX_HEADER_BYTES:
            self.disconnect()
        self._flush_soon()

    def _parse_one(self) -> bool:
        if self._body_of is not None:
            command, length = self._body_of
            if len(self._buffer) < length:
                return False
            body = bytes(self._buffer[:length]).decode("utf-8", "surrogateescape")
            del self._buffer[:length]
            self._body_of = None
            self.commands.put_nowait(Command(command.line, command.headers, body))
            return True
        while self._buffer.startswith((b"\r", b"\n")):
            del self._buffer[:1]
        match = _END_OF_BLOCK.search(self._buffer)
        if match is None:
            return False
        block = bytes(self._buffer[: match.start()]).decode("utf-8", "surrogateescape")
        del self._buffer[: match.end()]
        line, *rest = block.replace("\r", "").split("\n")
        headers: dict[str, str] = {}
        for header in rest:
            name, colon, value = header.partition(":")
            if colon:
                headers.setdefault(name.lower(), value.lstrip(" "))
        command = Command(line, headers)
        announced = headers.get("content-length")
        if announced is None:
            self.commands.put_nowait(command)
            return True
        digits = re.match(r"\s*-?\d+", announced)  # atoi()
        length = int(digits.group()) if digits else 0
        if not 0 <= length <= MAX_BODY_BYTES:
            self.disconnect()
            return False
        self._body_of = (command, length)
        return True

    def eof_received(self) -> bool:
        self.commands.put_nowait(None)
        return True  # keep our side open: what was received is still answered

    async def _work(self) -> None:
        while (command := await self.commands.get()) is not None and not self.closing:
            self._busy = True
            try:
                await self.handle(command)
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("stand-in switch: command failed: %.200s", command.line)
                self.disconnect()
            finally:
                self._busy = False
                self._flush_soon()
        self.disconnect()

    # Writing ---------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def reply(self, text: str, *more: str) -> None:
        """`command/reply`; `more` are whole header lines after Reply-Text."""
        cut = text.encode("utf-8", "surrogateescape")[:MAX_REPLY_BYTES]
        tail = "".join(f"{line}\n" for line in more).encode("utf-8", "surrogateescape")
        self.write(b"Content-Type: command/reply\nReply-Text: " + cut + b"\n" + tail + b"\n")

    def respond(self, body: str) -> None:
        """`api/response`; FreeSWITCH says `-ERR no reply` for empty output."""
        raw = (body or "-ERR no reply\n").encode("utf-8", "surrogateescape")
        self.write(b"Content-Type: api/response\nContent-Length: %d\n\n" % len(raw) + raw)

    def notice(self, body: str = GOODBYE, **headers: str) -> None:
        """`text/disconnect-notice`; header names with underscores for dashes."""
        lines = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in headers.items())
        length = len(body.encode())
        self.write(f"Content-Type: text/disconnect-notice\n{lines}Content-Length: {length}\n\n{body}".encode())

    def deliver(self, event: Event) -> None:
        """Queue an event that the subscription wants; it goes out when no command is half-read or running."""
        if self.closing:
            return
        if len(self._events) >= self.event_limit:
            self.lost_events += 1
            if self.lost_events > MAX_LOST_EVENTS:
                self.disconnect("killed listener because of lost events\n")
            return
        self._events.append(event)
        self._flush_soon()

    def _flush_soon(self) -> None:
        if self._events and not self._flush_due:
            self._flush_due = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self, *, force: bool = False) -> None:
        self._flush_due = False
        held = self._busy or self._paused or bool(self._buffer) or self._body_of is not None
        if self.closing or (held and not force):
            return
        form = self.subscription.form
        while self._events and not (self._paused and not force):
            self.write(self._events.popleft().rendered(form))

    def flush_now(self) -> None:
        """Write all waiting events at once: what must come before a notice."""
        self._flush(force=True)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._flush_soon()

    # Ending ----------------------------------------------------------------------------------------

    def farewell(self, body: str) -> None:
        """The last notice of the connection."""
        self.notice(body)

    def disconnect(self, body: str = GOODBYE) -> None:
        """Say the notice and close, as FreeSWITCH does at the end of every listener."""
        if self.closing:
            return
        self.farewell(body)
        self.closing = True
        if self.transport is not None:
            self.transport.close()

    def reset(self) -> None:
        """Tear the connection down without a word (misbehaviour)."""
        self.closing = True
        if self.transport is not None:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closing = True
        self._events.clear()
        if self._worker is not None and self._worker is not asyncio.current_task():
            self._worker.cancel()
        self.gone()
