"""Who has the floor: the caller's turns, and the caller's right to interrupt."""

from __future__ import annotations

from collections import deque

from secretary.conversation import actions as act
from secretary.conversation.messages import Messages
from secretary.conversation.scene import Scene
from secretary.conversation.state import MOST_WAITING_TURNS, State, Turn
from secretary.conversation.tools import Tools
from secretary.conversation.voice import Voice


class Floor:
    """The caller's turns from their onset to their words."""

    def __init__(self, scene: Scene, voice: Voice, messages: Messages, tools: Tools) -> None:
        self._scene, self._voice, self._messages, self._tools = scene, voice, messages, tools
        self._wordless: deque[Turn] = deque(maxlen=MOST_WAITING_TURNS)

    def caller_started(self, onset_ms: int) -> None:
        scene = self._scene
        scene.watch.calm()
        if scene.speaking is not None or scene.state in (State.LEAVING, State.TRANSFERRING):
            return
        scene.watch.clear("silence")
        scene.watch.clear("answer")
        scene.speaking = Turn(onset_ms)
        self._messages.caller_speaks()
        if scene.playout.open:
            self._barge_in(onset_ms)
        self._tools.caller_speaks()
        scene.state = State.LISTENING
        scene.do(act.BeginTurn())

    def _barge_in(self, onset_ms: int) -> None:
        scene = self._scene
        scene.do(act.StopVoice())
        scene.latency.add("stop", scene.now - onset_ms)
        cut = self._voice.cut()
        scene.do(*(act.TellInterrupted(heard.utterance_id, heard.text, heard.heard_ms) for heard in cut))
        scene.note("barge_in", onset_ms=onset_ms, heard_ms=cut[0].heard_ms if cut else 0)

    def caller_ended(self, last_sound_ms: int) -> None:
        scene = self._scene
        turn, scene.speaking = scene.speaking, None
        if turn is None or scene.state in (State.LEAVING, State.TRANSFERRING):
            return
        turn.last_sound_ms, turn.decided_ms = last_sound_ms, scene.now
        scene.latency.add("end_of_turn", scene.now - last_sound_ms)
        self._wordless.append(turn)
        scene.unanswered = turn
        scene.expect_answer()
        scene.do(act.EndTurn())

    def caller_text(self, text: str) -> None:
        if not self._wordless:
            return
        scene, turn = self._scene, self._wordless.popleft()
        scene.latency.add("understanding", scene.now - turn.decided_ms)
        scene.watch.understood()
        if text.strip():
            scene.do(act.Line("caller", text.strip(), turn.onset_ms, turn.last_sound_ms))
        elif not self._messages.begun:
            scene.note("not_understood", start_ms=turn.onset_ms, end_ms=turn.last_sound_ms)

    def pressed(self, digit: str) -> None:
        scene = self._scene
        scene.note("dtmf", digit=digit)
        scene.watch.calm()
        scene.do(act.PassDigit(digit))
        scene.arm_silence()
