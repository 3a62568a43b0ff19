"""The caller on hold: music until the time is over, the provider resumes, or the caller speaks or presses a key."""

from __future__ import annotations

from secretary.conversation import actions as act
from secretary.conversation.scene import Scene
from secretary.speech.contract import ToolCall

LONGEST_HOLD_MS = 300_000


class Hold:
    """The provider's `hold` is answered when it is over: until then it has nothing to say."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.call: ToolCall | None = None

    def begin(self, call: ToolCall) -> None:
        scene = self._scene
        self.call = call
        scene.busy = scene.on_hold = True
        scene.watch.clear("silence")
        scene.watch.clear("answer")
        scene.watch.set("hold", scene.now + _length_ms(call, scene.rules.hold_ms))
        scene.do(act.HoldMusic(True))

    def end(self, outcome: str) -> None:
        """`ok`: resumed or the time is over; `interrupted`: the caller spoke or pressed a key."""
        call, self.call = self.call, None
        if call is None:
            return
        scene = self._scene
        scene.busy = scene.on_hold = False
        scene.watch.clear("hold")
        scene.note("tool_done", name=call.name, outcome=outcome)
        scene.do(act.HoldMusic(False), act.AnswerTool(call.tool_call_id, outcome))
        if scene.speaking is None:
            scene.expect_answer()


def _length_ms(call: ToolCall, usual_ms: int) -> int:
    asked = call.arguments.get("seconds")
    if isinstance(asked, bool) or not isinstance(asked, int | float) or not 1 <= asked * 1000 <= LONGEST_HOLD_MS:
        return usual_ms
    return round(asked * 1000)
