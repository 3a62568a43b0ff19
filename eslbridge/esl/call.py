"""One call on an outbound socket: `CallControl` over FreeSWITCH, and what its events mean.

The channel sits in `park` under our control. What ends that (mod_event_socket.c and switch_ivr.c of 1.11):

* the caller hangs up: CHANNEL_HANGUP, CHANNEL_UNPARK with `Answer-State: hangup`, CHANNEL_HANGUP_COMPLETE and a notice
  with `Content-Disposition: linger`; our `exit` ends the connection;
* somebody transfers or bridges the channel: CHANNEL_UNPARK without hangup, then the events of where it went. The
  connection stays, and stays open on purpose: closing it would clear the channel's `controlled` flag and, with
  `socket_resume=true`, reset whatever the channel does by then, such as the bridge to a colleague;
* we leave: the dialplan goes on after `socket`.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import structlog

from eslbridge.control import Bridged, CallControl, CallEvent, Dtmf, HungUp, Left
from eslbridge.esl import commands
from eslbridge.esl.command import Command, matching
from eslbridge.esl.connection import Connection
from eslbridge.esl.errors import CommandFailed, CommandTimeout, EslError, NotConnected
from eslbridge.esl.events import ChannelVariables, Event, PackedEvent, PlainEvent
from eslbridge.esl.protocol import Message
from eslbridge.metrics import ESL_CALLBACK_ERRORS, ESL_COMMANDS_FAILED

log = structlog.get_logger(__name__)
T = TypeVar("T")

LINGER_S: Final = 10
"""How long FreeSWITCH keeps the connection after the call for its last events. Endless would keep the session."""
REPLY_S: Final = 5.0
"""The longest a reply to a command may take."""
ANSWER_S: Final = 5.0
BRIDGE_S: Final = 10.0
MIN_CONNECTED_S: Final = 0.1
"""The least time between `connect` and `exit`. Sooner, and a call without socket_resume is parked for ever."""
GOODBYE_S: Final = 2.0
"""How long the switch may take to close after `exit`."""
UNPARKED_S: Final = 0.5
"""How long after CHANNEL_UNPARK to wait for the event that says where the channel went."""
LET_GO_S: Final = 0.1
"""How long after a channel left to wait for it to come back (it takes 20 ms) before giving it up for good."""
MAX_EXECUTING: Final = 50
"""Applications queued on a channel. FreeSWITCH cuts the connection at 257."""

_WATCHED: Final = commands.events(custom=(*commands.MOD_AUDIO_STREAM_EVENTS, *commands.MOD_AUDIO_FORK_EVENTS))


class OutboundCall:
    """A call that FreeSWITCH brought to us. Made by the server once the channel's data is there.

    Besides `CallControl` it offers the audio legs `api`, `execute`, `send_message` and `add_raw_listener`. Coroutines
    raise `ControlError` (an `EslError`): CommandFailed, CommandTimeout, NotConnected when the call is gone.
    """

    __slots__ = (
        "_answered", "_call_uuid", "_closed", "_closing", "_connected_at", "_connection", "_data", "_ending",
        "_executing", "_let_go_timer", "_listeners", "_other_uuid", "_raw_listeners", "_resumes", "_setup_error",
        "_setup_left",
        "_unparked", "_waiters", "last_event", "on_released", "superseded",
    )  # fmt: skip

    def __init__(self, connection: Connection, data: PlainEvent) -> None:
        """`data` is the reply to `connect`. Nothing is sent before `set_up`."""
        loop = asyncio.get_running_loop()
        self._connection = connection
        self._call_uuid = data.unique_id
        self._answered = data.get("Answer-State") == "answered"
        self._resumes = data.variable("socket_resume") in ("true", "yes", "on", "1")
        self._data = PackedEvent(data)
        self._connected_at = loop.time()
        self._listeners: tuple[Callable[[CallEvent], None], ...] = ()
        self._raw_listeners: tuple[Callable[[Event], None], ...] = ()
        self._executing: dict[str, asyncio.Future[Event]] | None = None
        self._waiters: list[asyncio.Future[None]] | None = None
        self._setup_left = 0
        self._setup_error = ""
        self._unparked: asyncio.TimerHandle | None = None
        self._let_go_timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.TimerHandle | None = None
        self._ending = ""
        self._other_uuid = ""
        self._closed = False
        self.last_event: HungUp | Left | None = None
        """How the call ended for us, once it has."""
        self.superseded = False
        """Whether the same channel has come to us again: a newer connection is in charge of it."""
        self.on_released: Callable[[OutboundCall], None] | None = None
        """Called once when the connection is gone: the server's own bookkeeping."""

    # --- setting up ---

    def set_up(self) -> None:
        """Send everything a call begins with, without waiting: one round trip in all."""
        call, batch = self._call_uuid, []
        if not self._resumes:
            log.warning("the dialplan does not set socket_resume: setting it", call_uuid=call)
        batch.append(commands.sched_del(f"wd-{call}"))
        # Also where the dialplan did: an earlier connection of this channel may just be letting go of it.
        batch.append(commands.uuid_setvar(call, "socket_resume", "true"))
        batch += [commands.linger(LINGER_S), commands.myevents(), _WATCHED]
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
    def variables(self) -> Mapping[str, str]:
        """Channel data when the call came, by name without `variable_`; `Caller-Caller-ID-Number` and such as well."""
        return ChannelVariables(self._data)

    @property
    def is_open(self) -> bool:
        """Whether commands can be sent."""
        return self._connection.is_open

    @property
    def is_over(self) -> bool:
        """Whether the call has hung up or left."""
        return self.last_event is not None

    @property
    def is_answered(self) -> bool:
        return self._answered

    @property
    def peer(self) -> str:
        """The switch's address, as host:port."""
        return self._connection.peer

    def on_event(self, callback: Callable[[CallEvent], None]) -> None:
        """Receive the call's events from now on; if it is over already, its last one, soon."""
        self._listeners += (callback,)
        if self.last_event is not None:
            asyncio.get_running_loop().call_soon(callback, self.last_event)

    def add_raw_listener(self, callback: Callable[[Event], None]) -> None:
        """Receive every event of the channel as FreeSWITCH sent it, until the connection is gone."""
        self._raw_listeners += (callback,)

    # --- commands ---

    def _check_open(self) -> None:
        if not self._connection.is_open:
            raise NotConnected(f"the call is over: {self.last_event or 'connection closed'}")

    async def api(self, command: Command, *, timeout_s: float = REPLY_S) -> str:
        """Run an API command and give its answer. Raises CommandFailed for -ERR and -USAGE."""
        self._check_open()
        return _checked(command, (await self._connection.request(command, timeout_s)).answer)

    async def send_message(self, command: Command, *, timeout_s: float = REPLY_S) -> str:
        """Send a message to the channel and give the reply: `+OK` means queued."""
        self._check_open()
        if command.name == "unicast" and not self._answered:
            raise EslError("audio can be had from an answered call only: FreeSWITCH needs its codec")
        return _checked(command, (await self._connection.request(command, timeout_s)).answer)

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

    async def answer(self) -> None:
        if not self._answered:
            await self.execute("answer", wait_s=ANSWER_S)
            self._answered = True

    async def hang_up(self, cause: str = "NORMAL_CLEARING") -> None:
        """End the call. Nothing happens if it is over."""
        if not self.is_over and self._connection.is_open:
            await self.send_message(commands.hangup(cause))

    async def leave(self, result: str) -> None:
        """Go on in the dialplan after `socket`, with `eslbridge_result=<result>` (lower-case letters and `_`)."""
        matching(r"[a-z_]{1,32}", result, "a result")
        if self.is_over or not self._connection.is_open or self._ending:
            return
        self._ending = result
        try:
            await self.api(commands.uuid_setvar(self._call_uuid, "eslbridge_result", result))
        except EslError as error:  # the dialplan then takes its `no_app` road, which is a human too
            log.warning("eslbridge_result not set", call_uuid=self._call_uuid, result=result, error=str(error))
        early = self._connected_at + MIN_CONNECTED_S - asyncio.get_running_loop().time()
        if early > 0:
            await asyncio.sleep(early)
        if self.is_over:
            return
        log.info("call given back to the dialplan", call_uuid=self._call_uuid, result=result)
        self._say_goodbye()
        await self.wait_closed(GOODBYE_S + 1.0)

    async def bridge(self, other_uuid: str) -> None:
        """Connect the caller with another channel; ours leaves `park` for it."""
        self._other_uuid = other_uuid
        await self._let_go(commands.uuid_bridge(self._call_uuid, other_uuid), BRIDGE_S)

    async def transfer(self, number: str, *, context: str) -> None:
        """Send the caller to a number of the XML dialplan."""
        await self._let_go(commands.uuid_transfer(self._call_uuid, number, context=context), REPLY_S)

    async def _let_go(self, command: Command, timeout_s: float) -> None:
        # From here on the end of our connection must not reset what the channel does next.
        self._check_open()
        setvar = commands.uuid_setvar
        unset, reply = self._connection.send(setvar(self._call_uuid, "socket_resume", "false"), command)
        try:
            async with asyncio.timeout(timeout_s):
                await unset
                _checked(command, (await reply).answer)
        except (TimeoutError, CommandFailed) as error:
            if self._connection.is_open:
                self._connection.send(setvar(self._call_uuid, "socket_resume", "true"))
            if isinstance(error, CommandFailed):
                raise
            ESL_COMMANDS_FAILED.labels("timeout").inc()
            raise CommandTimeout(f"{command.name}: no answer within {timeout_s:g} s") from None

    async def record(self, path: str) -> None:
        await self.api(commands.uuid_setvar(self._call_uuid, "RECORD_STEREO", "true"))
        await self.api(commands.uuid_record(self._call_uuid, "start", path))

    async def send_dtmf(self, digits: str) -> None:
        await self.api(commands.uuid_send_dtmf(self._call_uuid, digits))

    async def set_variable(self, name: str, value: str) -> None:
        await self.api(commands.uuid_setvar(self._call_uuid, name, value))

    # --- what the switch says: the connection's owner ---

    def connection_opened(self) -> None:
        """It was open before there was a call."""

    def event_received(self, event: Event) -> None:
        for listener in self._raw_listeners:
            _call(listener, event, self._call_uuid)
        handler = _HANDLERS.get(event.name)
        if handler is not None and event.unique_id == self._call_uuid:
            handler(self, event)

    def notice_received(self, message: Message) -> None:
        if message.is_linger_notice:
            # The channel is down. Without our own subscription (set-up refused) this is all we learn of it.
            self._fail_executing("the call hung up")
            self._finish(HungUp("NORMAL_UNSPECIFIED"))

    def connection_closed(self, reason: str) -> None:
        self._closed = True
        for timer in (self._unparked, self._let_go_timer, self._closing):
            if timer is not None:
                timer.cancel()
        self._unparked = self._let_go_timer = self._closing = None
        self._fail_executing(reason)
        # The channel may well live on: the dialplan goes on with it.
        self._finish(Left(self._ending or reason))
        self._wake()
        self._raw_listeners = ()
        if self.on_released is not None:
            self.on_released(self)

    def _on_dtmf(self, event: Event) -> None:
        digit, duration = event.get("DTMF-Digit"), event.get("DTMF-Duration")
        if len(digit) == 1 and digit in "0123456789*#ABCD":
            # FreeSWITCH counts samples at 8,000 Hz
            self._tell(Dtmf(digit, int(duration) // 8 if duration.isdigit() and len(duration) < 9 else 0))

    def _on_answer(self, event: Event) -> None:
        self._answered = True

    def _on_execute(self, event: Event) -> None:
        if self._unparked is not None:
            self._finish(Left("transferred"))

    def _on_execute_complete(self, event: Event) -> None:
        if self._executing:
            done = self._executing.get(event.get("Application-UUID"))
            if done is not None and not done.done():
                done.set_result(event)

    def _on_unpark(self, event: Event) -> None:
        if self.is_over or self._ending or event.get("Answer-State") == "hangup" or self._unparked is not None:
            return
        loop = asyncio.get_running_loop()
        self._unparked = loop.call_later(UNPARKED_S, self._finish, Left("unparked"))

    def _on_bridge(self, event: Event) -> None:
        sides = (event.get("Bridge-A-Unique-ID"), event.get("Bridge-B-Unique-ID"), event.get("Other-Leg-Unique-ID"))
        other = next((side for side in sides if side and side != self._call_uuid), self._other_uuid)
        self._tell(Bridged(other))
        if self._unparked is not None:
            self._finish(Left("bridged"))

    def _on_hangup(self, event: Event) -> None:
        self._finish(HungUp(event.get("Hangup-Cause") or "NORMAL_UNSPECIFIED"))

    def _on_hangup_complete(self, event: Event) -> None:
        self._on_hangup(event)
        self._fail_executing("the call hung up")
        self._say_goodbye()

    # --- ending ---

    def _tell(self, event: CallEvent) -> None:
        if self.last_event is None or event is self.last_event:
            for listener in self._listeners:
                _call(listener, event, self._call_uuid)

    def _finish(self, event: HungUp | Left) -> None:
        if self._unparked is not None:
            self._unparked.cancel()
            self._unparked = None
        if self.last_event is not None:
            return
        log.info("call over", call_uuid=self._call_uuid, how=type(event).__name__, **_detail(event))
        self.last_event = event
        self._tell(event)
        if isinstance(event, Left) and self._connection.is_open:
            self._let_go_timer = asyncio.get_running_loop().call_later(LET_GO_S, self._stop_resuming)

    def _stop_resuming(self) -> None:
        """Somebody else took the channel away: our end must not reset what it does now, such as a bridge.

        Seen on FreeSWITCH 1.11: with `socket_resume=true` still set, a node that ended cut every call that it had
        handed on before. Not where the channel is back with us: then the newer connection needs the variable.
        """
        if self._connection.is_open and not self.superseded:
            self._connection.send(commands.uuid_setvar(self._call_uuid, "socket_resume", "false"))

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
        self._closing = loop.call_later(GOODBYE_S, self._connection.close, "no goodbye from the switch")

    def abort(self, reason: str) -> None:
        """Cut the connection: the caller goes on in the dialplan. For a node that must end now."""
        self._ending = self._ending or reason
        self._connection.close(reason)


_HANDLERS: Final[dict[str, Callable[[OutboundCall, Event], None]]] = {
    "CHANNEL_ANSWER": OutboundCall._on_answer,
    "CHANNEL_BRIDGE": OutboundCall._on_bridge,
    "CHANNEL_EXECUTE": OutboundCall._on_execute,
    "CHANNEL_EXECUTE_COMPLETE": OutboundCall._on_execute_complete,
    "CHANNEL_HANGUP": OutboundCall._on_hangup,
    "CHANNEL_HANGUP_COMPLETE": OutboundCall._on_hangup_complete,
    "CHANNEL_UNPARK": OutboundCall._on_unpark,
    "DTMF": OutboundCall._on_dtmf,
}


def _detail(event: HungUp | Left) -> dict[str, str]:
    return {"cause": event.cause} if isinstance(event, HungUp) else {"reason": event.reason}


def _checked(command: Command, text: str) -> str:
    """An answer, unless it is an error."""
    if text.startswith(("-ERR", "-USAGE")):
        ESL_COMMANDS_FAILED.labels("refused").inc()
        raise CommandFailed(command.name, text.splitlines()[0][:200])
    return text


def _call(callback: Callable[[T], None], argument: T, call_uuid: str) -> None:
    try:
        callback(argument)
    except Exception:
        ESL_CALLBACK_ERRORS.inc()
        log.exception("error in a call's callback", call_uuid=call_uuid)


if TYPE_CHECKING:

    def _implements(call: OutboundCall) -> CallControl:
        return call
