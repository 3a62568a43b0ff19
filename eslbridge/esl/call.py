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
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import structlog

from eslbridge.control import Bridged, CallControl, CallEvent, Dtmf, HungUp, Left
from eslbridge.esl import commands
from eslbridge.esl.channel import GOODBYE_S, REPLY_S, Channel, safely
from eslbridge.esl.command import Command, matching
from eslbridge.esl.connection import Connection
from eslbridge.esl.errors import CommandFailed, CommandTimeout, EslError
from eslbridge.esl.events import Event, PlainEvent
from eslbridge.esl.interface import checked
from eslbridge.esl.protocol import Message
from eslbridge.metrics import ESL_COMMANDS_FAILED

log = structlog.get_logger(__name__)

ANSWER_S: Final = 5.0
BRIDGE_S: Final = 10.0
MIN_CONNECTED_S: Final = 0.1
"""The least time between `connect` and `exit`. Sooner, and a call without socket_resume is parked for ever."""
UNPARKED_S: Final = 0.5
"""How long after CHANNEL_UNPARK to wait for the event that says where the channel went."""
LET_GO_S: Final = 0.1
"""How long after a channel left to wait for it to come back (it takes 20 ms) before giving it up for good."""


class OutboundCall(Channel):
    """A call that FreeSWITCH brought to us: `CallControl`. Made by the server once the channel's data is there.

    Besides the contract it offers the audio legs what `Channel` has: `api`, `execute`, `send_message`,
    `add_raw_listener`.
    """

    __slots__ = (
        "_ending", "_let_go_timer", "_listeners", "_other_uuid", "_unparked", "last_event", "on_released", "superseded",
    )  # fmt: skip

    def __init__(self, connection: Connection, data: PlainEvent) -> None:
        super().__init__(connection, data)
        self._listeners: tuple[Callable[[CallEvent], None], ...] = ()
        self._unparked: asyncio.TimerHandle | None = None
        self._let_go_timer: asyncio.TimerHandle | None = None
        self._ending = ""
        self._other_uuid = ""
        self.last_event: HungUp | Left | None = None
        """How the call ended for us, once it has."""
        self.superseded = False
        """Whether the same channel has come to us again: a newer connection is in charge of it."""
        self.on_released: Callable[[OutboundCall], None] | None = None
        """Called once when the connection is gone: the server's own bookkeeping."""
        if data.variable("socket_resume") != "true":
            log.warning("the dialplan does not set socket_resume: we do", call_uuid=self._call_uuid)

    @property
    def is_over(self) -> bool:
        """Whether the call has hung up or left."""
        return self.last_event is not None

    def on_event(self, callback: Callable[[CallEvent], None]) -> None:
        """Receive the call's events from now on; if it is over already, its last one, soon."""
        self._listeners += (callback,)
        if self.last_event is not None:
            asyncio.get_running_loop().call_soon(callback, self.last_event)

    # --- CallControl ---

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
                checked(command.name, (await reply).answer)
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

    async def mask_recording(self, path: str, on: bool) -> None:
        await self.api(commands.uuid_record(self._call_uuid, "mask" if on else "unmask", path))

    async def stop_recording(self, path: str) -> None:
        await self.api(commands.uuid_record(self._call_uuid, "stop", path))

    async def send_dtmf(self, digits: str) -> None:
        await self.api(commands.uuid_send_dtmf(self._call_uuid, digits))

    async def set_variable(self, name: str, value: str) -> None:
        await self.api(commands.uuid_setvar(self._call_uuid, name, value))

    # --- what the switch says: the connection's owner ---

    def connection_opened(self) -> None:
        """It was open before there was a call."""

    def event_received(self, event: Event) -> None:
        self._tell_raw(event)
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
        # `uuid_bridge` shows up as an application of that name, right before CHANNEL_BRIDGE.
        if self._unparked is not None and event.get("Application") != "uuid_bridge":
            self._finish(Left("transferred"))

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
                safely(listener, event, self._call_uuid)

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

    def abort(self, reason: str) -> None:
        """Cut the connection: the caller goes on in the dialplan. For a node that must end now."""
        self._ending = self._ending or reason
        self._connection.close(reason)


_HANDLERS: Final[dict[str, Callable[[OutboundCall, Event], None]]] = {
    "CHANNEL_ANSWER": OutboundCall._on_answer,
    "CHANNEL_BRIDGE": OutboundCall._on_bridge,
    "CHANNEL_EXECUTE": OutboundCall._on_execute,
    "CHANNEL_EXECUTE_COMPLETE": OutboundCall._execute_complete,
    "CHANNEL_HANGUP": OutboundCall._on_hangup,
    "CHANNEL_HANGUP_COMPLETE": OutboundCall._on_hangup_complete,
    "CHANNEL_UNPARK": OutboundCall._on_unpark,
    "DTMF": OutboundCall._on_dtmf,
}


def _detail(event: HungUp | Left) -> dict[str, str]:
    return {"cause": event.cause} if isinstance(event, HungUp) else {"reason": event.reason}


if TYPE_CHECKING:

    def _implements(call: OutboundCall) -> CallControl:
        return call
