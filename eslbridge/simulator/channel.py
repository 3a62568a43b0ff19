"""One leg of a call: its variables, its state, the thread of applications it runs, and how that is broken off.

FreeSWITCH runs one thread for each channel through the actions of a dialplan extension. Here it is a task; what breaks
into it from outside is a hangup, a transfer (or bridge) to somewhere else, or a reset.
"""

from __future__ import annotations

import asyncio
import uuid as uuids
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from eslbridge.simulator import apps, template
from eslbridge.simulator.dialplan import Action
from eslbridge.simulator.events import Headers, Value, flat
from eslbridge.simulator.media import LegMedia
from eslbridge.simulator.misbehave import Faults
from eslbridge.simulator.park import Park
from eslbridge.simulator.peer import Command
from eslbridge.simulator.phone import Phone

if TYPE_CHECKING:
    from eslbridge.simulator.commands import CommandPeer
    from eslbridge.simulator.switch import StandInSwitch

IDLE = Action("_idle", "")
"""A leg that runs nothing: a colleague's, while it is bridged or about to be."""

DTMF_SAMPLES = 2080


class Channel:
    """A leg. Start it with `start`; it ends by itself."""

    def __init__(
        self,
        switch: StandInSwitch,
        phone: Phone,
        profile: template.Profile,
        *,
        name: str,
        direction: Literal["inbound", "outbound"] = "inbound",
        channel_uuid: str = "",
        faults: Faults | None = None,
    ) -> None:
        self.switch = switch
        self.uuid = channel_uuid or str(uuids.uuid4())
        self.name = name
        self.direction = direction
        self.profile = profile
        self.faults = faults or switch.faults
        self.phone = phone
        self.codec = switch.options.codec
        self.media = LegMedia(phone)
        self.variables: dict[str, Value] = {}
        self.listeners: list[CommandPeer] = []
        self.park = Park(self)
        self.other_leg: Channel | None = None
        self.state = "CS_INIT"
        self.call_state = "DOWN"
        self.answer_state = "ringing"
        self.is_down = False
        self.hung_up_by_phone = False
        self.hangup_cause = ""
        self.has_media = False
        self.digits = ""
        self.last_app = ("", "")
        self.application = ("", "")
        self.created_us = template.now_us()
        self.answered_us = self.hangup_us = self.transfer_us = self.bridged_us = self.progress_media_us = 0
        profile.created_us = self.created_us
        self.ended = asyncio.Event()
        """Set after CHANNEL_HANGUP_COMPLETE."""
        self.answered = asyncio.Event()
        self.history: list[tuple[str, str]] = []
        """Applications run, in order: (name, data). For tests; a call runs few."""
        self._life: asyncio.Task[None] | None = None
        self._step: asyncio.Task[None] | None = None
        self._interrupt: Literal["", "hangup", "transfer", "reset"] = ""
        self._next: Sequence[Action] | None = None
        phone.attach(self)

    # Variables and events --------------------------------------------------------------------------

    def variable(self, name: str) -> str:
        """A variable as one string; empty when unset. A few names read the profile, as in FreeSWITCH."""
        if name in self.variables:
            return flat(self.variables[name])
        profile = {
            "destination_number": self.profile.destination,
            "caller_id_number": self.profile.caller_number,
            "caller_id_name": self.profile.caller_name,
            "context": self.profile.context,
            "channel_name": self.name,
            "uuid": self.uuid,
        }
        return profile.get(name, "")

    def is_true(self, name: str) -> bool:
        return self.variable(name).lower() in {"true", "yes", "on", "1", "t", "enabled", "active"}

    def emit(
        self,
        name: str,
        *,
        extra: Headers | None = None,
        first: Headers | None = None,
        subclass: str = "",
        body: str | None = None,
        variables: bool = True,
    ) -> None:
        """Publish an event of this channel, if anybody wants it."""
        switch = self.switch
        if not switch.wanted(name, subclass, self.uuid):
            return
        headers: Headers = [("Event-Subclass", subclass)] if subclass else []
        headers += [("Event-Name", name), *switch.stamps(name), *(first or []), *template.state_headers(self)]
        if variables:
            headers += [(f"variable_{key}", value) for key, value in self.variables.items()]
        headers += extra or []
        switch.publish_fields(name, headers, subclass, body, self.uuid)

    def set_state(self, state: str, call_state: str = "") -> None:
        self.state = state
        if call_state and call_state != self.call_state:
            self.call_state = call_state
            self.emit("CHANNEL_CALLSTATE", variables=False)
        self.emit("CHANNEL_STATE", variables=False)

    # Life ------------------------------------------------------------------------------------------

    def start(self, actions: Sequence[Action] | None = None) -> None:
        """Run these actions, or what the dialplan says."""
        self._next = actions
        self._life = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        self.emit("CHANNEL_CREATE")
        try:
            while not self.is_down:
                self._interrupt = ""
                actions, self._next = self._next, None
                if actions is None:
                    self.set_state("CS_ROUTING", "RINGING" if self.answer_state == "ringing" else "ACTIVE")
                    actions = self.switch.route(self)
                if not actions:
                    self.hang_up("NO_ROUTE_DESTINATION")
                    break
                self.set_state("CS_EXECUTE")
                await self._run_actions(actions)
                if self._interrupt == "" and not self.is_down:
                    self.hang_up("NORMAL_CLEARING")  # "executed the last dialplan instruction"
        finally:
            self._finish()

    async def _run_actions(self, actions: Sequence[Action]) -> None:
        for action in actions:
            self._step = asyncio.get_running_loop().create_task(self.execute(action.app, action.data))
            try:
                await asyncio.wait({self._step})
            except asyncio.CancelledError:
                self._step.cancel()
                await asyncio.gather(self._step, return_exceptions=True)
                raise
            if not self._step.cancelled() and (error := self._step.exception()) is not None:
                self.switch.log.error("stand-in switch: %s(%s) failed", action.app, action.data, exc_info=error)
                self.hang_up("DESTINATION_OUT_OF_ORDER")
            if self._interrupt == "reset" and not self.is_down:
                self._interrupt = ""
                if action.app != "socket":
                    # Only the socket application takes a channel out of CS_RESET again; any other leaves it there,
                    # deaf, until somebody transfers it or hangs it up.
                    self.state = "CS_RESET"
                    self._step = asyncio.get_running_loop().create_task(self.execute("_idle", ""))
                    await asyncio.wait({self._step})
            if self._interrupt:
                return

    async def execute(self, app: str, data: str, *, event_uuid: str = "", loops: int = 1) -> None:
        """Run one application with its events. An unknown one hangs up, as in FreeSWITCH."""
        if self.is_down:
            return
        function = apps.APPLICATIONS.get(app)
        if function is None:
            self.hang_up("DESTINATION_OUT_OF_ORDER")
            return
        data = self.switch.expand(self, data)
        if app.startswith("_"):
            await function(self, data)
            return
        self.history.append((app, data))
        application_uuid = event_uuid or str(uuids.uuid4())
        named: Headers = [("Application", app)]
        if data:
            named.append(("Application-Data", data))
        before = self.application
        self.application = (app, data)
        self.variables.pop("current_application_data", None)
        if data:
            self.variables["current_application_data"] = data
        self.variables["current_application"] = app
        self.emit("CHANNEL_EXECUTE", extra=[*named, ("Application-UUID", application_uuid)])
        response = "_none_"
        try:
            for _ in range(loops) if loops >= 0 else iter(int, 1):
                response = await function(self, data) or "_none_"
        finally:
            self.last_app = (app, data)
            self.application = before
            done: Headers = [("Application-Response", response), ("Application-UUID", application_uuid)]
            self.emit("CHANNEL_EXECUTE_COMPLETE", extra=[*named, *done])

    async def idle(self) -> None:
        """Wait to be bridged, transferred or hung up."""
        await asyncio.Event().wait()

    def _break_off(self, reason: Literal["hangup", "transfer", "reset"]) -> None:
        if self._interrupt != "hangup":
            self._interrupt = reason
        if self._step is not None and not self._step.done():
            self._step.cancel()

    # What comes from outside -----------------------------------------------------------------------

    def redirect(self, actions: Sequence[Action] | None) -> None:
        """Leave what is being done for these actions (None: for what the dialplan says)."""
        if self.is_down:
            return
        self.end_unicast()
        self._next = actions
        self.transfer_us = template.now_us()
        self._break_off("transfer")

    def transfer(self, destination: str, context: str = "", dialplan: str = "") -> None:
        self.profile = replace(
            self.profile,
            destination=destination,
            context=context or self.profile.context,
            dialplan=dialplan or "XML",
            created_us=template.now_us(),
        )
        self.variables["max_forwards"] = str(int(self.variable("max_forwards") or "70") - 1)
        self.redirect(None)

    def reset(self) -> None:
        """CS_RESET: what a listener's end does to its channel when `socket_resume` is true."""
        if not self.is_down and self._interrupt == "":
            if self.media.other is not None and self.media.other is not self.media:
                self.media.part()  # seen on 1.11: it cuts the bridge that the channel is in by then
            self._break_off("reset")

    def hang_up(self, cause: str = "NORMAL_CLEARING") -> None:
        if self.is_down:
            return
        self.is_down = True
        self.hangup_cause = cause
        self.hangup_us = template.now_us()
        self.answer_state = "hangup"
        self.emit("CHANNEL_HANGUP")
        self.media.live = False
        if self.media.other is not None and self.media.other is not self.media:
            self.media.part()
        self._break_off("hangup")
        for listener in list(self.listeners):
            listener.channel_down(reported=False)
        if self._life is None:
            self._finish()

    def phone_hung_up(self, cause: str = "NORMAL_CLEARING") -> None:
        """The person at this leg's telephone put it down."""
        self.hung_up_by_phone = True
        self.hang_up(cause)

    def press(self, digits: str) -> None:
        """Keys pressed at the telephone."""
        for position, digit in enumerate(digits):
            self.switch.later(position * 0.2, self._pressed, digit)

    def _pressed(self, digit: str) -> None:
        if self.is_down:
            return
        self.digits += digit
        more: Headers = [("DTMF-Digit", digit), ("DTMF-Duration", str(DTMF_SAMPLES)), ("DTMF-Source", "RTP")]
        self.emit("DTMF", extra=more, variables=False)
        if self.media.other is not None:
            self.media.other.phone.key(digit)
        terminators = self.variable("playback_terminators") or "*"
        if self.media.player is not None and terminators != "none" and (digit in terminators or terminators == "any"):
            self.media.player.break_off()

    def queue_message(self, command: Command) -> bool:
        """A `sendmsg` for this channel. False when 256 already wait."""
        return self.park.queue_message(command)

    def listener_ended(self) -> None:
        """An outbound listener of this channel ended: control goes, and with `socket_resume` the channel is reset."""
        if self.is_down:
            self.destroy()
            return
        if self._interrupt == "" and self.is_true("socket_resume") and not self.park.is_quiet:
            self.reset()
        # Where `socket` runs nothing, it comes to its end: what follows it runs, also within `execute_extension`.
        self.park.release()

    # Media -----------------------------------------------------------------------------------------

    def open_media(self) -> None:
        if not self.has_media:
            self.has_media = True
            self.variables |= template.media_variables(self, self.switch.sessions)
            self.media.live = True
            self.media.silence_when_idle = self.variable("send_silence_when_idle") not in ("", "0")
            self.switch.ticker.add(self.media)
            self.phone.answered()

    def pre_answer(self) -> None:
        if not self.has_media and not self.is_down:
            self.answer_state = "early"
            self.progress_media_us = template.now_us()
            self.emit("CHANNEL_PROGRESS_MEDIA")
            self.open_media()

    def answer(self) -> None:
        if self.answered_us or self.is_down:
            return
        self.answered_us = template.now_us()
        self.answer_state = "answered"
        self.call_state = "ACTIVE"
        self.open_media()
        self.answered.set()
        self.emit("CHANNEL_ANSWER")

    def end_unicast(self) -> None:
        """`switch_core_session_reset`: what playback, broadcast and transfer do to a unicast connection."""
        if self.media.unicast is not None:
            self.media.unicast.close()
            self.media.unicast = None

    # The end ---------------------------------------------------------------------------------------

    def _finish(self) -> None:
        if self.ended.is_set():
            return
        if not self.is_down:
            self.hang_up("MANAGER_REQUEST")
        self.state = "CS_HANGUP"
        self.emit("CHANNEL_STATE", variables=False)
        self.state, self.call_state = "CS_REPORTING", "HANGUP"
        self.emit("CHANNEL_STATE", variables=False)
        self.variables |= template.hangup_variables(self)
        self.emit("CHANNEL_HANGUP_COMPLETE", first=[("Hangup-Cause", self.hangup_cause)])
        for tap in list(self.media.taps):
            self.switch.tap_closed(self, tap)
        self.switch.ticker.remove(self.media)
        self.end_unicast()
        self.media.close()
        self.switch.forget(self)
        self.phone.hung_up(self.hangup_cause)
        for listener in list(self.listeners):
            listener.channel_down(reported=True)
        self.ended.set()
        self.destroy()

    def destroy(self) -> None:
        """CHANNEL_DESTROY, once no listener lingers on the session any more."""
        if self.ended.is_set() and not self.listeners and self.state != "CS_DESTROY":
            self.state = "CS_DESTROY"
            self.emit("CHANNEL_DESTROY")

    async def stop(self) -> None:
        """Tear down with the switch."""
        self.hang_up("MANAGER_REQUEST")
        if self._life is not None:
            self._life.cancel()
            await asyncio.gather(self._life, return_exceptions=True)
