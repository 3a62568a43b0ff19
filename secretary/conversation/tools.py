"""What the provider wants done. Every call of a tool is answered exactly once, unless the conversation ends first."""

from __future__ import annotations

from secretary.conversation import actions as act
from secretary.conversation import events as ev
from secretary.conversation.endings import Endings
from secretary.conversation.messages import Messages
from secretary.conversation.scene import Scene
from secretary.conversation.state import State
from secretary.speech.contract import ToolCall

AFTER_THE_SENTENCE = ("transfer", "end_call")
"""These wait until the caller has heard what was said before them."""


class Tools:
    """One tool waits or runs at a time; a second one is told that the first is busy."""

    def __init__(self, scene: Scene, messages: Messages, endings: Endings) -> None:
        self._scene, self._messages, self._endings = scene, messages, endings
        self._pending: ToolCall | None = None
        self._running: ToolCall | None = None
        self.lost = ""
        """What broke while the caller was being put through; counts only if that fails."""

    def called(self, call: ToolCall) -> None:
        scene = self._scene
        if scene.state is State.LEAVING:
            return
        scene.watch.clear("answer")
        scene.note("tool", name=call.name)
        if self._pending is not None or self._running is not None:
            scene.do(act.AnswerTool(call.tool_call_id, "busy"))
        elif call.name not in AFTER_THE_SENTENCE:
            self._run(call)
        elif scene.speaking is not None:
            scene.do(act.AnswerTool(call.tool_call_id, "interrupted"))
        else:
            self._pending = call

    def run_pending(self) -> bool:
        """What was said has been heard: do what waited for it. False when nothing did."""
        if self._pending is None or self._scene.speaking is not None:
            return False
        self._run(self._pending)
        return True

    def take_back(self) -> None:
        """The caller spoke into the sentence that announced a tool."""
        if self._pending is not None:
            self._scene.do(act.AnswerTool(self._pending.tool_call_id, "interrupted"))
            self._pending = None

    def done(self, done: ev.ToolDone) -> None:
        scene, tool = self._scene, self._running
        if tool is None or tool.tool_call_id != done.tool_call_id or scene.state is State.LEAVING:
            return
        self._running = None
        scene.watch.clear("tool")
        scene.note("tool_done", name=tool.name, outcome=done.outcome, detail=done.detail)
        if scene.state is State.TRANSFERRING:
            scene.watch.clear("transfer")
            scene.state = State.LISTENING
            if self.lost:
                self._endings.leave(f"{self.lost}_failed", "")
                return
        scene.expect_answer()
        scene.do(act.AnswerTool(done.tool_call_id, done.outcome, done.detail))

    def took_too_long(self) -> None:
        if self._running is not None:
            self.done(ev.ToolDone(self._running.tool_call_id, "failed", "no answer in time"))

    def _run(self, call: ToolCall) -> None:
        scene = self._scene
        self._pending, self._running = None, call
        match call.name:
            case "transfer":
                scene.state = State.TRANSFERRING
                scene.watch.clear("silence")
                scene.watch.set("transfer", scene.now + scene.rules.transfer_ms)
                scene.do(act.Transfer(call.tool_call_id, str(call.arguments.get("destination_uuid", ""))))
            case "record_message":
                self._running = None
                self._messages.open()
                scene.do(act.AnswerTool(call.tool_call_id, "ok"))
                scene.arm_silence()
            case "take_message":
                scene.watch.set("tool", scene.now + scene.rules.save_ms)
                self._messages.take(call)
            case "end_call":
                self._endings.hang_up_now(str(call.arguments.get("reason", "")))
            case _:
                self._running = None
                scene.do(act.AnswerTool(call.tool_call_id, "unknown", f"there is no tool named {call.name}"))
