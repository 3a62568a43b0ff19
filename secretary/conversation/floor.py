"""Who has the floor: the caller's turns, from their onset to their words."""

from __future__ import annotations

from collections import deque

from secretary.audio.turns import TurnDetector
from secretary.conversation import actions as act
from secretary.conversation.backchannel import is_backchannel
from secretary.conversation.interruption import Interruption
from secretary.conversation.loops import Loops
from secretary.conversation.messages import Messages
from secretary.conversation.scene import Scene
from secretary.conversation.state import MOST_WAITING_TURNS, State, Turn
from secretary.conversation.tools import Tools
from secretary.conversation.voice import Voice

SHIELD_LOOK_MS = 100
"""How often a voice that may not be interrupted is looked at while the caller speaks over it."""


class Floor:
    """The caller's turns, and the caller's right to interrupt."""

    def __init__(self, scene: Scene, voice: Voice, messages: Messages, tools: Tools, loops: Loops) -> None:
        self._scene, self._voice, self._messages, self._tools = scene, voice, messages, tools
        self.interruption = Interruption(scene, voice)
        self._loops = loops
        self._wordless: deque[Turn] = deque(maxlen=MOST_WAITING_TURNS)
        self.turns = 0
        """Of the caller, that were complete."""
        self._endless = 0

    @property
    def _closed(self) -> bool:
        return self._scene.state in (State.LEAVING, State.TRANSFERRING)

    # The caller speaks --------------------------------------------------------------------------------------------

    def caller_started(self, onset_ms: int) -> None:
        scene = self._scene
        scene.watch.calm()
        if scene.speaking is not None or self._closed:
            return
        turn = scene.speaking = Turn(onset_ms)
        scene.watch.set("turn", scene.now + scene.rules.max_turn_ms)
        if self.interruption.forbidden and (scene.playout.open or scene.state is State.GREETING):
            turn.over_voice = True
            scene.watch.set("shield", scene.now + SHIELD_LOOK_MS)
            scene.do(act.Attend())
            return
        scene.watch.clear("silence")
        scene.watch.clear("answer")
        again = self.interruption.in_doubt  # then the first time was no cough
        if scene.playout.open:
            self.interruption.stop(onset_ms)
            scene.state = State.LISTENING
        scene.do(act.Attend())
        if again:
            self._interrupted(turn)
        elif not self.interruption.in_doubt:
            self._take_floor(turn)

    def caller_proven(self) -> None:
        turn = self._scene.speaking
        if turn is not None and not turn.taken and not turn.over_voice:
            self._interrupted(turn)

    def _interrupted(self, turn: Turn) -> None:
        self.interruption.prove(turn.onset_ms)
        self.interruption.give_up()
        self._take_floor(turn)

    def _take_floor(self, turn: Turn) -> None:
        scene = self._scene
        turn.taken = True
        self._voice.speak_again()
        self._messages.caller_speaks()
        self._tools.caller_speaks()
        if not turn.over_voice:
            scene.state = State.LISTENING
        scene.do(act.BeginTurn())

    def shield_due(self) -> None:
        """The caller speaks over a voice that must be heard: as soon as it was, the floor is theirs."""
        scene, turn = self._scene, self._scene.speaking
        if turn is None or not turn.over_voice or self._closed:
            return
        waiting = scene.state is State.GREETING and scene.watch.pending("answer")
        proven = scene.now - turn.onset_ms >= TurnDetector.PROOF_MS
        if self.interruption.forbidden or waiting or (scene.playout.open and not proven):
            scene.watch.set("shield", scene.now + SHIELD_LOOK_MS)
            return
        turn.over_voice = False
        scene.watch.clear("silence")
        scene.watch.clear("answer")
        if scene.playout.open:
            self.interruption.stop(turn.onset_ms)
        self._interrupted(turn)

    # The caller has spoken ----------------------------------------------------------------------------------------

    def caller_ended(self, last_sound_ms: int, *, provider_decides: bool = False) -> None:
        scene = self._scene
        turn, scene.speaking = scene.speaking, None
        scene.watch.clear("turn")
        scene.watch.clear("shield")
        if turn is None or self._closed:
            return
        turn.last_sound_ms, turn.decided_ms = last_sound_ms, scene.now
        self._endless = 0
        length = last_sound_ms - turn.onset_ms
        if not turn.taken and length < TurnDetector.BURST_MS:
            scene.do(act.DropTurn())
            if self.interruption.in_doubt:
                self.interruption.take_up("burst")
            return
        doubt = self.interruption.in_doubt
        if not turn.taken and not (doubt and provider_decides):
            self.interruption.prove(turn.onset_ms)
            self._take_floor(turn)
        if doubt:
            scene.watch.set("doubt", scene.now + scene.rules.doubt_ms)
        self._complete(turn, provider_decides)

    def _complete(self, turn: Turn, provider_decides: bool) -> None:
        scene = self._scene
        self.turns += 1
        if 0 < scene.rules.max_turns <= self.turns:
            scene.stuck = "turns"
        self._wordless.append(turn)
        scene.unanswered = turn
        if not turn.over_voice:
            scene.expect_answer()
        scene.do(act.DropTurn() if provider_decides else act.EndTurn())

    def provider_heard(self) -> None:
        """The provider's own ear is sure: what is in doubt here is real."""
        self.caller_proven()

    def provider_stopped(self) -> None:
        scene, turn = self._scene, self._scene.speaking
        if turn is not None and not turn.over_voice:
            self.caller_proven()
            self.caller_ended(max(scene.now - TurnDetector.BURST_MS, turn.onset_ms), provider_decides=True)
        elif self.interruption.in_doubt and not self.interruption.told and self._wordless:
            self._interrupted(self._wordless[-1])
        elif scene.unanswered is not None:
            scene.unanswered.decided_ms = scene.now

    def provider_thinks(self) -> None:
        turn = self._scene.unanswered
        if turn is not None and turn.thinking_ms is None:
            turn.thinking_ms = self._scene.now

    def turn_is_endless(self) -> None:
        """Somebody who never pauses: let the provider answer what there is, once; the next time it is a recording."""
        scene, turn = self._scene, self._scene.speaking
        if turn is None or self._messages.dictating:
            return
        scene.note("long_turn", onset_ms=turn.onset_ms)
        endless = self._endless + 1
        self.caller_ended(scene.now)
        self._endless = endless
        if endless > 1:
            scene.stuck = "recording"

    # What the caller said -----------------------------------------------------------------------------------------

    def caller_text(self, text: str) -> None:
        if not self._wordless:
            return
        scene, turn = self._scene, self._wordless.popleft()
        scene.latency.add("understanding", scene.now - turn.decided_ms)
        scene.watch.understood()
        waiting = self.interruption.in_doubt and scene.speaking is None
        if waiting and is_backchannel(text):
            self._line(turn, text)
            self.interruption.take_up("backchannel")
            return
        if waiting:
            self.interruption.prove(turn.onset_ms)
            self.interruption.give_up()
        if text.strip():
            self._line(turn, text)
            scene.words_at = scene.now
            if self._loops.heard(text):
                scene.stuck = "repeats"
        elif not self._messages.begun:
            scene.note("not_understood", start_ms=turn.onset_ms, end_ms=turn.last_sound_ms)

    def _line(self, turn: Turn, text: str) -> None:
        if text.strip():
            self._scene.do(act.Line("caller", text.strip(), turn.onset_ms, turn.last_sound_ms))

    def doubt_is_over(self) -> None:
        """Nothing came of it: an unheeded sound lets the voice go on, an interruption that was told does not."""
        if self._scene.speaking is None and self.interruption.in_doubt:
            if self.interruption.told:
                self.interruption.give_up()
            else:
                self.interruption.take_up("unheeded")

    def answered(self) -> None:
        """The provider does something new, after it was told or has heard: what was kept is not said any more."""
        if self._scene.speaking is None and self.interruption.in_doubt and self.interruption.told:
            self.interruption.give_up()

    def key_pressed(self) -> None:
        """A key is no sound: it interrupts what may be interrupted, and is proof enough."""
        scene = self._scene
        self._tools.caller_speaks()
        self._voice.speak_again()
        if self.interruption.in_doubt:
            self.interruption.prove(scene.now)
            self.interruption.give_up()
        elif scene.playout.open and not self.interruption.forbidden:
            self.interruption.silence(scene.now)
            scene.state = State.LISTENING
        if scene.speaking is None:
            scene.arm_silence()
