"""The server that FreeSWITCH connects to for each call (`socket host:port async full`).

What is particular about it comes from how FreeSWITCH fails: a listener that accepts and says nothing costs the caller
25 s of dead air, and one that goes away at once can leave him parked for ever, while a *refused* connection makes
FreeSWITCH try the next host at once. So `connect` is said the moment a connection is there, a full server closes its
listening socket instead of turning callers away, and whoever slips in meanwhile is given back with care.
"""

from __future__ import annotations

import asyncio
import inspect
import socket
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from eslbridge.esl import commands
from eslbridge.esl.call import OutboundCall
from eslbridge.esl.connection import Connection
from eslbridge.esl.door import Doorkeeper
from eslbridge.esl.errors import EslError, ProtocolError
from eslbridge.esl.events import ChannelVariables, Event, PlainEvent, channel_data
from eslbridge.esl.listener import Listener
from eslbridge.esl.protocol import Message
from eslbridge.metrics import (
    ESL_CALLS,
    ESL_CALLS_OPEN,
    ESL_DROPPED,
    ESL_LISTENER_CLOSED,
    ESL_SETUP_SECONDS,
)

log = structlog.get_logger(__name__)

CONNECT_S: Final = 2.0
"""How long FreeSWITCH may take to describe the channel."""
CLOSE_S: Final = 2.0
TASKS_S: Final = 10.0
"""How long the handlers of cut calls may take to write down what they know."""
REOPEN_S: Final = 0.5
"""How long to wait before trying again for a port that somebody else holds."""
EXHAUSTED_S: Final = 1.0

CallHandler = Callable[[OutboundCall], Awaitable[None] | None]


class OutboundServer:
    """Accepts calls and hands each to `handler` as soon as its channel data is there, with its set-up on the way.

    `handler` may be a coroutine function: it runs as a task, and if it fails, the call goes back to the dialplan with
    `eslbridge_result=failed`. With `reuse_port` several processes share one port. A call that the `door` does not let
    in is given back with `foreign_switch` before anything of ours knows of it.
    """

    def __init__(
        self,
        handler: CallHandler,
        *,
        host: str = "127.0.0.1",
        port: int = 8022,
        max_connections: int = 5000,
        reuse_port: bool = False,
        door: Doorkeeper | None = None,
    ) -> None:
        self._handler = handler
        self._door = door
        self._host = host
        self._max = max_connections
        self._listener = Listener(host, port, accepted=self._accepted, exhausted=self._exhausted, reuse_port=reuse_port)
        self._arriving = 0
        self._released_call = self._release_call  # one object for all calls
        self._open: set[Connection] = set()
        self._calls: dict[str, OutboundCall] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False
        self._opening: asyncio.Task[None] | None = None
        self._empty: asyncio.Event | None = None

    @property
    def port(self) -> int:
        """The port in use, also where 0 was asked for."""
        return self._listener.port

    @property
    def connections(self) -> int:
        """Connections open now, calls that left us included until they hang up."""
        return len(self._open)

    @property
    def is_listening(self) -> bool:
        return self._listener.is_open

    def call(self, call_uuid: str) -> OutboundCall | None:
        """The newest connection of a channel, if it is connected here."""
        return self._calls.get(call_uuid)

    async def start(self) -> None:
        """Begin to listen. Raises OSError if the port is taken."""
        self._listener.open()
        log.info("esl outbound server listens", host=self._host, port=self.port, max_connections=self._max)

    def drain(self) -> None:
        """Accept no more calls: FreeSWITCH tries the next host. The calls there are go on."""
        self._draining = True
        self._listener.close()

    async def close(self, reason: str = "node ends") -> None:
        """Stop, and cut what is left: those callers go on in the dialplan."""
        self.drain()
        if self._opening is not None:
            self._opening.cancel()
        for connection in tuple(self._open):
            connection.close(reason)
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=TASKS_S)
            if late:
                log.error("calls' handlers do not end", handlers=len(late))
        if self._open:
            self._empty = asyncio.Event()
            try:
                async with asyncio.timeout(CLOSE_S):
                    await self._empty.wait()
            except TimeoutError:  # a switch that takes nothing any more keeps what was written to it
                for connection in tuple(self._open):
                    connection.drop("not reading", reason)

    # --- listening ---

    def _accepted(self, accepted: socket.socket) -> None:
        self._arriving += 1
        task = asyncio.get_running_loop().create_task(self._take_in(accepted))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self._listener.is_open and len(self._open) + self._arriving >= self._max:
            log.warning("esl outbound server is full: listener closed", connections=len(self._open) + self._arriving)
            ESL_LISTENER_CLOSED.inc()
            self._listener.close()

    async def _take_in(self, accepted: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self._arrival, accepted)
        except OSError as error:
            log.warning("esl connection lost at once", reason=str(error))
            accepted.close()
        except asyncio.CancelledError:
            accepted.close()
            raise
        finally:
            self._arriving -= 1

    def _exhausted(self, error: OSError) -> None:
        """No more file descriptors: refuse for a while, which sends calls to the next host."""
        log.error("esl outbound server cannot accept: listener closed", error=str(error), connections=len(self._open))
        ESL_LISTENER_CLOSED.inc()
        self._listener.close()
        self._reopen_soon(EXHAUSTED_S)

    def _reopen_soon(self, pause_s: float = 0.0) -> None:
        if self._opening is None and not self._draining:
            self._opening = asyncio.get_running_loop().create_task(self._reopen(pause_s))

    async def _reopen(self, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        while not self._draining and not self._listener.is_open and len(self._open) < self._max:
            try:
                self._listener.open()
                log.info("esl outbound server listens again", connections=len(self._open))
            except OSError as error:
                log.error("esl outbound port not available", port=self.port, error=str(error))
                await asyncio.sleep(REOPEN_S)
        self._opening = None

    # --- connections ---

    def _arrival(self) -> Connection:
        arrival = _Arrival(self)
        arrival.connection = Connection(arrival)
        return arrival.connection

    def _opened(self, connection: Connection) -> bool:
        """Count a connection; whether there is room for its call."""
        self._open.add(connection)
        ESL_CALLS_OPEN.set(len(self._open))
        return len(self._open) <= self._max and not self._draining

    def _took(self, call: OutboundCall) -> None:
        older = self._calls.get(call.call_uuid)
        if older is not None:
            older.superseded = True
        self._calls[call.call_uuid] = call

    def _release_call(self, call: OutboundCall) -> None:
        if self._calls.get(call.call_uuid) is call:
            del self._calls[call.call_uuid]
        self._released(call.connection)

    def _released(self, connection: Connection) -> None:
        self._open.discard(connection)
        ESL_CALLS_OPEN.set(len(self._open))
        if self._empty is not None and not self._open:
            self._empty.set()
        if not self._listener.is_open and len(self._open) <= self._max - max(1, self._max // 50):
            self._reopen_soon()

    def _arrived(self, call: OutboundCall, *, has_room: bool) -> None:
        if not has_room:
            # Only a caller who was in the backlog when the listener closed. Never connect-and-exit: `leave` waits.
            ESL_DROPPED.labels("full").inc()
            log.warning("call given back: server full", call_uuid=call.call_uuid)
            self._run(call.leave("busy"), call)
            return
        ESL_CALLS.inc()
        try:
            result = self._handler(call)
        except Exception:
            log.exception("the handler of calls failed", call_uuid=call.call_uuid)
            self._run(call.leave("failed"), call)
            return
        if inspect.isawaitable(result):
            self._run(result, call)

    def _turn_away(self, call: OutboundCall, why: str) -> None:
        ESL_DROPPED.labels("foreign").inc()
        log.warning("call of a foreign switch refused", call_uuid=call.call_uuid, switch=call.peer, reason=why)
        self._run(call.leave("foreign_switch"), call)

    def _run(self, work: Awaitable[None], call: OutboundCall) -> None:
        async def guarded() -> None:
            try:
                await work
            except Exception:
                log.exception("a call's handler failed", call_uuid=call.call_uuid)
                await call.leave("failed")

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Arrival:
    """A connection until its channel is known: the owner before the call."""

    __slots__ = ("_deadline", "_has_room", "_server", "_since", "connection")

    connection: Connection

    def __init__(self, server: OutboundServer) -> None:
        self._server = server
        self._has_room = True
        self._since = asyncio.get_running_loop().time()
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def label(self) -> str:
        return "(not connected yet)"

    def connection_opened(self) -> None:
        self._has_room = self._server._opened(self.connection)
        (reply,) = self.connection.send(commands.connect())
        reply.add_done_callback(self._connected)
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(CONNECT_S, self.connection.drop, "silent", f"no channel in {CONNECT_S:g} s")

    def _connected(self, reply: asyncio.Future[Message]) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        if reply.cancelled() or reply.exception() is not None or not self.connection.is_open:
            return
        message = reply.result()
        try:
            data = channel_data(message)
            commands.uuid_exists(data.unique_id)  # a Unique-ID that is no UUID would fail every later command
        except (ProtocolError, EslError) as error:
            self.connection.drop("protocol", str(error))
            return
        ESL_SETUP_SECONDS.observe(asyncio.get_running_loop().time() - self._since)
        door = self._server._door
        if door is None:
            self._enter(message, data, "")
            return
        peer, domain = self.connection.peer_host, ChannelVariables(data).get("domain_uuid", "")
        why_not = door.at_once(peer, domain)
        if why_not is not None:
            self._enter(message, data, why_not)
            return
        task = asyncio.get_running_loop().create_task(self._ask(door, peer, domain, message, data))
        self._server._tasks.add(task)
        task.add_done_callback(self._server._tasks.discard)

    async def _ask(self, door: Doorkeeper, peer: str, domain: str, message: Message, data: PlainEvent) -> None:
        try:
            why_not = await door.ask(peer, domain)
        except Exception:
            log.exception("the door failed", call_uuid=data.unique_id)
            why_not = "the door failed"
        if self.connection.is_open:
            self._enter(message, data, why_not)

    def _enter(self, message: Message, data: PlainEvent, why_not: str) -> None:
        call = OutboundCall(self.connection, data)
        server = self._server
        call.on_released = server._released_call
        self.connection.owner = call
        if why_not:
            call.set_up()
            server._turn_away(call, why_not)
            return
        log.info("call arrived", call_uuid=call.call_uuid, switch=call.peer)
        if message.header("Control") == "single-channel" or message.header("Socket-Mode") == "static":
            log.error("the dialplan must say `async full` after the socket's address", call_uuid=call.call_uuid)
        server._took(call)
        call.set_up()
        server._arrived(call, has_room=self._has_room)

    def event_received(self, event: Event) -> None:
        """Nothing is subscribed yet."""

    def notice_received(self, message: Message) -> None:
        """The caller hung up at once: the end of the connection follows."""

    def connection_closed(self, reason: str) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        if not self.connection.ended_by_us:
            ESL_DROPPED.labels("before connect").inc()
            log.warning("esl connection ended before its channel was known", reason=reason)
        self._server._released(self.connection)
