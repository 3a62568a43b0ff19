"""A channel on its outbound connection: its set-up, commands and their answers, applications and their completion.

What the events mean for the call is in `call.py`.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, TypeVar

import structlog

from eslbridge.esl import commands
from eslbridge.esl.command import Command
from eslbridge.esl.connection import Connection
from eslbridge.esl.errors import CommandFailed, CommandTimeout, EslError, NotConnected
from eslbridge.esl.events import ChannelVariables, Event, PackedEvent, PlainEvent
from eslbridge.esl.interface import checked
from eslbridge.esl.protocol import Message
from eslbridge.metrics import ESL_CALLBACK_ERRORS, ESL_COMMANDS_FAILED

log = structlog.get_logger(__name__)
T = TypeVar("T")

LINGER_S: Final = 10
"""How long FreeSWITCH keeps the connection after the call for its last events. Endless would keep the session."""
REPLY_S: Final = 5.0
"""The longest a reply to a command may take."""
GOODBYE_S: Final = 2.0
"""How long the switch may take to close after `exit`."""
MAX_EXECUTING: Final = 50
"""Applications queued on a channel. FreeSWITCH cuts the connection at 257."""

_WATCHED: Final = commands.events(custom=(*commands.MOD_AUDIO_STREAM_EVENTS, *commands.MOD_AUDIO_FORK_EVENTS))


class Channel:
    """What can be done with any channel that FreeSWITCH brought to us.

    Coroutines raise `ControlError` (an `EslError`): CommandFailed, CommandTimeout, NotConnected when it is gone.
    """

    __slots__ = (
        "_answered", "_call_uuid", "_closed", "_closing", "_connected_at", "_connection", "_data", "_executing",
        "_raw_listeners", "_setup_error", "_setup_left", "_waiters",
    )  # fmt: skip

    def __init__(self, connection: Connection, data: PlainEvent) -> None:
        """`data` is the reply to `connect`. Nothing is sent before `set_up`."""
        self._connection = connection
        self._call_uuid = data.unique_id
        self._answered = data.get("Answer-State") == "answered"
        self._data = PackedEvent(data)
        self._connected_at = asyncio.get_running_loop().time()
        self._raw_listeners: tuple[Callable[[Event], None], ...] = ()
        self._executing: dict[str, asyncio.Future[Event]] | None = None
        self._waiters: list[asyncio.Future[None]] | None = None
        self._setup_left = 0
        self._setup_error = ""
        self._closing: asyncio.TimerHandle | None = None
        self._closed = False

    # --- setting up ---

    def set_up(self) -> None:
        """Send everything a call begins with, without waiting: one round trip in all."""
        call = self._call_uuid
        batch = [
            commands.sched_del(f"wd-{call}"),
            # Also where the dialplan did: an earlier connection of this channel may just be letting go of it.
            commands.uuid_setvar(call, "socket_resume", "true"),
            commands.linger(LINGER_S),
            commands.myevents(),
            _WATCHED,
        ]
        self._setup_left = len(batch)
        for command, reply in zip(batch, self._connection.send(*batch), strict=True):
            reply.add_done_callback(partial(self._set_up_reply, command.name))

    def _set_up_reply(self, name: str, reply: asyncio.Future[Message]) -> None:
        self._setup_left -= 1
        if not reply.cancelled() and reply.exception() is None:
            text = reply.result().answer
            # An older watchdog may be gone already; anything else means that we would hear nothing of this call.
            if text.startswith("-") and name != "sched_del":
                self._setup_error = self._setup_error or f"{name}: {text}"
                log.error("esl set-up refused", call_uuid=self._call_uuid, command=name, reply=text)
        if not self._setup_left:
            self._wake()

    async def start(self) -> None:
        """Wait until FreeSWITCH has answered the whole set-up. A call may be answered and used before that.

        Raises CommandFailed if a part of it was refused (`socket` without `async full`), CommandTimeout, NotConnected.
        """
        await self._wait(lambda: not self._setup_left or self._closed, REPLY_S, "set-up")
        if self._setup_error:
            raise CommandFailed("set-up", self._setup_error)
        self._check_open()

    async def wait_closed(self, timeout_s: float) -> bool:
        """Wait until the connection is gone, at most so long; whether it is."""
        try:
            await self._wait(lambda: self._closed, timeout_s, "close")
        except CommandTimeout:
            return False
        return True

    async def _wait(self, done: Callable[[], bool], timeout_s: float, what: str) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                while not done():
                    waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._waiters = [*(self._waiters or ()), waiter]
                    await waiter
        except TimeoutError:
            ESL_COMMANDS_FAILED.labels("timeout").inc()
            raise CommandTimeout(f"{what}: not within {timeout_s:g} s") from None

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    # --- what is known ---

    @property
    def call_uuid(self) -> str:
        """FreeSWITCH's `Unique-ID` of the channel."""
        return self._call_uuid

    @property
    def label(self) -> str:
        return self._call_uuid

    @property
    def connection(self) -> Connection:
        return self._connection

    @property
    def variables(self) -> Mapping[str, str]:
        """Channel data when the call came, by name without `variable_`; `Caller-Caller-ID-Number` and such as well."""
        return ChannelVariables(self._data)

    @property
    def is_open(self) -> bool:
        """Whether commands can be sent."""
        return self._connection.is_open

    @property
    def is_answered(self) -> bool:
        return self._answered

    @property
    def peer(self) -> str:
        """The switch's address, as host:port."""
        return self._connection.peer

    def add_raw_listener(self, callback: Callable[[Event], None]) -> None:
        """Receive every event of the channel as FreeSWITCH sent it, until the connection is gone."""
        self._raw_listeners += (callback,)

    # --- commands ---

    def _check_open(self) -> None:
        if not self._connection.is_open:
            raise NotConnected("the call is over")

    async def api(self, command: Command, *, timeout_s: float = REPLY_S) -> str:
        """Run an API command and give its answer. Raises CommandFailed for -ERR and -USAGE."""
        self._check_open()
        return checked(command.name, (await self._connection.request(command, timeout_s)).answer)

    async def send_message(self, command: Command, *, timeout_s: float = REPLY_S) -> str:
        """Send a message to the channel and give the reply: `+OK` means queued."""
        self._check_open()
        if command.name == "unicast" and not self._answered:
            raise EslError("audio can be had from an answered call only: FreeSWITCH needs its codec")
        return checked(command.name, (await self._connection.request(command, timeout_s)).answer)

    async def execute(self, application: str, argument: str = "", *, wait_s: float = 0.0) -> Event | None:
        """Run an application after those running. With `wait_s`, wait that long at most for its completion event."""
        self._check_open()
        event_uuid = str(uuid.uuid4())
        command = commands.execute(application, argument, event_uuid=event_uuid)
        if wait_s <= 0:
            await self.send_message(command)
            return None
        if self._executing is None:
            self._executing = {}
        if len(self._executing) >= MAX_EXECUTING:
            ESL_COMMANDS_FAILED.labels("queue full").inc()
            raise EslError(f"{len(self._executing)} applications wait on this channel already")
        done: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._executing[event_uuid] = done
        try:
            async with asyncio.timeout(wait_s):
                await self.send_message(command)
                return await done
        except TimeoutError:
            ESL_COMMANDS_FAILED.labels("timeout").inc()
            raise CommandTimeout(f"{application}: not complete within {wait_s:g} s") from None
        finally:
            if self._executing is not None:
                self._executing.pop(event_uuid, None)

    def _execute_complete(self, event: Event) -> None:
        if self._executing:
            done = self._executing.get(event.get("Application-UUID"))
            if done is not None and not done.done():
                done.set_result(event)

    def _fail_executing(self, reason: str) -> None:
        executing, self._executing = self._executing, None
        for done in (executing or {}).values():
            if not done.done():
                done.set_exception(NotConnected(reason))
                done.exception()

    def _say_goodbye(self) -> None:
        if not self._connection.is_open or self._closing is not None:
            return
        self._connection.send(commands.exit_())
        loop = asyncio.get_running_loop()
        self._closing = loop.call_later(GOODBYE_S, self._connection.drop, "goodbye", "no goodbye from the switch")

    def _tell_raw(self, event: Event) -> None:
        for listener in self._raw_listeners:
            safely(listener, event, self._call_uuid)


def safely(callback: Callable[[T], None], argument: T, call_uuid: str) -> None:
    """Call somebody's callback; what he does wrong is counted, and no reason to lose the call."""
    try:
        callback(argument)
    except Exception:
        ESL_CALLBACK_ERRORS.inc()
        log.exception("error in a call's callback", call_uuid=call_uuid)
