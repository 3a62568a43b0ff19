"""One Event Socket connection on asyncio: bytes to messages, replies to those who wait for them.

FreeSWITCH answers commands strictly in the order they were sent, so replies are matched first in, first out; somebody
who stopped waiting keeps his place in the queue. A `Protocol`, not streams: an idle connection costs 2 KB, not 40.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from typing import Any, Final, Protocol, cast

import structlog

from eslbridge.esl.command import Command
from eslbridge.esl.errors import CommandTimeout, EslError, NotConnected, ProtocolError
from eslbridge.esl.events import Event, JsonEvent, event_of
from eslbridge.esl.protocol import Message, Parser
from eslbridge.metrics import ESL_CALLBACK_ERRORS, ESL_COMMANDS_FAILED, ESL_DROPPED

log = structlog.get_logger(__name__)

MAX_WAITING: Final = 256
"""Commands sent and not answered. FreeSWITCH itself drops a connection with as many queued for one channel."""
MAX_UNWRITTEN_BYTES: Final = 256 * 1024
"""Bytes the switch has not taken yet, beyond which it is taken for dead."""
KEEPALIVE_IDLE_S: Final = 30


class Owner(Protocol):
    """Who a connection belongs to. Called on the event loop; exceptions are logged and counted."""

    @property
    def label(self) -> str:
        """What to call it in the log: a call's UUID, or a switch's address."""

    def connection_opened(self) -> None: ...

    def event_received(self, event: Event) -> None: ...

    def notice_received(self, message: Message) -> None:
        """Anything that is neither an event nor a reply: a disconnect notice, a greeting, a rejection."""

    def connection_closed(self, reason: str) -> None:
        """The connection ended; nothing is called after this."""


class Connection(asyncio.Protocol):
    """The shared half of the outbound server and the inbound client."""

    __slots__ = ("_parser", "_reason", "_transport", "_waiting", "owner")

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self._parser = Parser()
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[asyncio.Future[Message]] | None = None
        self._reason = ""

    # --- asyncio ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=MAX_UNWRITTEN_BYTES)
        raw = transport.get_extra_info("socket")
        if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._safely(self.owner.connection_opened)

    def data_received(self, data: bytes) -> None:
        try:
            for message in self._parser.feed(data):
                self._dispatch(message)
                if self._transport is None:
                    return
        except ProtocolError as error:
            self.drop("protocol", str(error))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        reason = self._reason or (f"connection lost: {exc}" if exc else "connection closed by the switch")
        waiting, self._waiting = self._waiting, None
        for reply in waiting or ():
            if not reply.done():
                reply.set_exception(NotConnected(reason))
                reply.exception()  # a pipelined command may have nobody waiting: that is no error of its own
        self._safely(self.owner.connection_closed, reason)

    # --- what the owner uses ---

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._reason

    @property
    def ended_by_us(self) -> bool:
        """Whether it was we who ended it, and counted why."""
        return bool(self._reason)

    @property
    def peer(self) -> str:
        name = self._transport.get_extra_info("peername") if self._transport else None
        return f"{name[0]}:{name[1]}" if name else ""

    @property
    def peer_host(self) -> str:
        """The address that the connection comes from; empty when it has gone."""
        name = self._transport.get_extra_info("peername") if self._transport else None
        return str(name[0]) if name else ""

    def send(self, *commands: Command) -> list[asyncio.Future[Message]]:
        """Send commands in one write, and give a future of each reply. Raises NotConnected, or EslError when full."""
        if self._transport is None or self._reason:
            raise NotConnected(self._reason or "not connected")
        if self._waiting is None:
            self._waiting = deque()
        if len(self._waiting) + len(commands) > MAX_WAITING:
            ESL_COMMANDS_FAILED.labels("queue full").inc()
            raise EslError(f"{len(self._waiting)} commands are not answered yet")
        self._transport.write(b"".join(command.wire() for command in commands))
        if self._transport.get_write_buffer_size() > MAX_UNWRITTEN_BYTES:
            self.drop("not reading", "the switch does not read what we send")
            raise NotConnected(self._reason)
        loop = asyncio.get_running_loop()
        replies = [loop.create_future() for _ in commands]
        self._waiting.extend(replies)
        return replies

    async def request(self, command: Command, timeout_s: float) -> Message:
        """Send one command and wait for its reply. Raises CommandTimeout or NotConnected."""
        (reply,) = self.send(command)
        try:
            async with asyncio.timeout(timeout_s):
                return await reply
        except TimeoutError:
            ESL_COMMANDS_FAILED.labels("timeout").inc()
            raise CommandTimeout(f"{command.name}: no answer within {timeout_s:g} s") from None

    def close(self, reason: str) -> None:
        """End the connection after what was written. Idempotent."""
        if self._transport is not None:
            self._reason = self._reason or reason
            self._transport.close()

    def drop(self, kind: str, reason: str) -> None:
        """Cut the connection at once, and say so."""
        if self._transport is None:
            return
        ESL_DROPPED.labels(kind).inc()
        log.warning("esl connection dropped", esl=self.owner.label, peer=self.peer, kind=kind, reason=reason)
        self._reason = self._reason or reason
        self._transport.abort()

    # --- messages ---

    def _dispatch(self, message: Message) -> None:
        head = message.head
        if head.endswith(b"text/event-json"):  # as FreeSWITCH frames an event
            self._safely(self.owner.event_received, JsonEvent(message.body))
            return
        kind = message.content_type
        if kind in ("command/reply", "api/response"):
            if not self._waiting:
                raise ProtocolError(f"a {kind} that nobody asked for")
            reply = self._waiting.popleft()
            if not self._waiting:
                self._waiting = None
            if not reply.done():
                reply.set_result(message)
            return
        event = event_of(message)
        if event is not None:
            self._safely(self.owner.event_received, event)
        elif kind != "log/data":
            self._safely(self.owner.notice_received, message)

    def _safely(self, callback: Any, *arguments: object) -> None:
        try:
            callback(*arguments)
        except Exception:
            ESL_CALLBACK_ERRORS.inc()
            log.exception("error in an esl callback", esl=self.owner.label)
