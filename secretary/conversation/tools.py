"""What the provider wants done. Every call of a tool is answered exactly once, unless the conversation ends first."""

from __future__ import annotations

import re

from secretary.conversation import actions as act
from secretary.conversation import events as ev
from secretary.conversation.endings import Endings
from secretary.conversation.filler import Filler
from secretary.conversation.hold import Hold
from secretary.conversation.messages import Messages
from secretary.conversation.scene import Scene
from secretary.conversation.state import State
from secretary.conversation.voice import Voice
from secretary.speech.contract import ToolCall

AFTER_THE_SENTENCE = ("transfer", "end_call", "hold")
"""These wait until the caller has heard what was said before them, and are taken back by a caller who objects."""
MOST_RUNNING = 4
"""Tools at work side by side; a further one is told that the secretary is busy."""
MENU = "menu-"
"""Begins the id of what a key of the menu called: the provider knows nothing of it."""
DIGITS = re.compile(r"[0-9*#A-D]{1,32}\Z")


class Tools:
    """One tool waits for its sentence at most, one transfer is under way at most, a few others run side by side."""

    def __init__(self, scene: Scene, voice: Voice, messages: Messages, endings: Endings) -> None:
        self._scene, self._messages, self._endings = scene, messages, endings
        self._voice = voice
        self._filler = Filler(scene, voice)
        self._hold = Hold(scene)
        self._pending: ToolCall | None = None
        self._transfer: ToolCall | None = None
        self._running: dict[str, tuple[ToolCall, int]] = {}
        """By id: the call, and when it must be done (ms on the call's clock)."""
        self.lost = ""
        """What broke while the caller was being put through; counts only if that fails."""

    # From the provider --------------------------------------------------------------------------------------------

    def called(self, call: ToolCall) -> None:
        scene = self._scene
        if scene.state is State.LEAVING:
            return
        scene.watch.clear("answer")
        scene.note("tool", name=call.name)
        if call.name == "resume":
            self._resume(call)
        elif not self._has_room_for(call):
            self._answer(call, "busy")
        elif call.name not in AFTER_THE_SENTENCE:
            self._run(call)
        elif scene.speaking is not None:
            self._answer(call, "interrupted")
        else:
            self._pending = call

    def _has_room_for(self, call: ToolCall) -> bool:
        if self._transfer is not None or self._hold.call is not None or call.tool_call_id in self._running:
            return False
        if call.name in AFTER_THE_SENTENCE:
            return self._pending is None
        return len(self._running) < MOST_RUNNING

    def _resume(self, call: ToolCall) -> None:
        self._end_hold("ok")
        self._answer(call, "ok")
        self._scene.expect_answer()

    def _end_hold(self, outcome: str) -> None:
        if self._hold.call is not None:
            self._hold.end(outcome)
            self._rearm()  # what else runs goes on: it is not the caller's turn yet

    # From the conversation ----------------------------------------------------------------------------------------

    def run_pending(self) -> bool:
        """What was said has been heard: do what waited for it. False when nothing did."""
        call, speaking = self._pending, self._scene.speaking
        if call is None or speaking is not None:
            return False
        self._pending = None
        self._run(call)
        return True

    def caller_speaks(self) -> None:
        """The caller spoke into the sentence that announced a tool, or into the music."""
        call, self._pending = self._pending, None
        if call is not None:
            self._answer(call, "interrupted")
        self._end_hold("interrupted")

    def voice_arrives(self) -> None:
        """The provider speaks of itself: nobody is on hold any more."""
        self._end_hold("ok")

    def done(self, done: ev.ToolDone) -> None:
        scene = self._scene
        if scene.state is State.LEAVING:
            return
        transfer = self._transfer
        if transfer is not None and transfer.tool_call_id == done.tool_call_id:
            self._transfer = None
            self._not_put_through(transfer, done)
        elif (running := self._running.pop(done.tool_call_id, None)) is not None:
            self._rearm()
            self._tell(running[0], done)

    def _not_put_through(self, call: ToolCall, done: ev.ToolDone) -> None:
        scene = self._scene
        scene.watch.clear("transfer")
        scene.state = State.LISTENING
        if self.lost:
            scene.note("tool_done", name=call.name, outcome=done.outcome, detail=done.detail)
            self._endings.leave(f"{self.lost}_failed", "")
        else:
            self._tell(call, done)

    def _tell(self, call: ToolCall, done: ev.ToolDone) -> None:
        self._scene.note("tool_done", name=call.name, outcome=done.outcome, detail=done.detail)
        self._scene.expect_answer()
        self._answer(call, done.outcome, done.detail)

    # Deadlines ----------------------------------------------------------------------------------------------------

    def transfer_took_too_long(self) -> None:
        if self._transfer is not None:
            self.done(ev.ToolDone(self._transfer.tool_call_id, "failed", "no answer in time"))

    def took_too_long(self) -> None:
        late = [tool_id for tool_id, (_, deadline) in self._running.items() if deadline <= self._scene.now]
        for tool_id in late:
            self.done(ev.ToolDone(tool_id, "failed", "no answer in time"))
        self._rearm()

    def hold_is_over(self) -> None:
        self._end_hold("ok")

    def filler_due(self) -> None:
        if self._running:
            self._filler.due()

    # Doing --------------------------------------------------------------------------------------------------------

    def _run(self, call: ToolCall) -> None:
        scene = self._scene
        match call.name:
            case "transfer":
                self._transfer = call
                scene.state = State.TRANSFERRING
                scene.watch.clear("silence")
                scene.resume_recording()
                scene.watch.set("transfer", scene.now + scene.rules.transfer_ms)
                scene.do(act.Transfer(call.tool_call_id, str(call.arguments.get("destination_uuid", ""))))
            case "hold":
                self._hold.begin(call)
            case "end_call":
                self._endings.hang_up_now(str(call.arguments.get("reason", "")))
            case "record_message":
                self._messages.open()
                self._answer(call, "ok")
                scene.arm_silence()
            case "take_message":
                if self._messages.take(call):
                    self._under_way(call, scene.rules.save_ms)
                else:
                    self._answer(call, "incomplete", "Ask the caller for the message, then call take_message again.")
                    scene.expect_answer()
            case "send_dtmf":
                self._send_digits(call)
            case "pause_recording":
                self._under_way(call, scene.rules.tool_ms)
                scene.pause_recording(call.tool_call_id)
            case "resume_recording":
                scene.resume_recording()
                self._answer(call, "ok")
                scene.expect_answer()
            case _:
                self._under_way(call, scene.rules.tool_ms)
                scene.do(act.RunTool(call.tool_call_id, call.name, call.arguments))

    def _send_digits(self, call: ToolCall) -> None:
        digits = str(call.arguments.get("digits", "")).replace(" ", "").upper()
        if DIGITS.match(digits):
            self._under_way(call, self._scene.rules.tool_ms)
            self._scene.do(act.SendDigits(call.tool_call_id, digits))
        else:
            self._answer(call, "invalid", "digits: 1 to 32 of 0-9, *, #, A-D")
            self._scene.expect_answer()

    def _under_way(self, call: ToolCall, patience_ms: int) -> None:
        self._running[call.tool_call_id] = (call, self._scene.now + patience_ms)
        self._scene.watch.clear("silence")
        self._filler.expect()
        self._rearm()

    def _rearm(self) -> None:
        """The one deadline of all that run is the earliest of theirs."""
        scene = self._scene
        scene.busy = bool(self._running) or self._hold.call is not None
        if self._running:
            scene.watch.set("tool", min(deadline for _, deadline in self._running.values()))
        else:
            scene.watch.clear("tool")
            self._filler.forget()

    def _answer(self, call: ToolCall, outcome: str, detail: str = "") -> None:
        if call.tool_call_id.startswith(MENU):
            if outcome != "interrupted":
                self._scene.expect_answer()
                self._voice.say(self._scene.say.not_reached)
            return
        self._scene.do(act.AnswerTool(call.tool_call_id, outcome, detail))
