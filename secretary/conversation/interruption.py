"""A voice that is interrupted: turned down, stopped, and given up or taken up again.

    likely ──▶ turned down ──▶ stopped and kept ──▶ given up: the caller has something to say
                   └─▶ restored        └──────────▶ taken up again: it was a cough, or an "uh-huh"

Stopping must be quick, and what was said so quickly is often nothing. So the rest of the voice is kept while it is in
doubt, and the provider learns of the interruption only when it is one.
"""

from __future__ import annotations

from secretary.conversation import actions as act
from secretary.conversation.scene import Scene
from secretary.conversation.state import State
from secretary.conversation.voice import Voice

DUCKED = 0.35
"""The gain of a voice that may be interrupted: 9 dB less."""
NEARLY_OVER_MS = 400
"""Who speaks into so short a rest is answering early."""


class Interruption:
    """At most one voice is in doubt at a time."""

    def __init__(self, scene: Scene, voice: Voice) -> None:
        self._scene, self._voice = scene, voice
        self._ducked = False
        self.told = False
        """The provider knows that it was interrupted."""
        self._told_of: list[str] = []
        """The utterances that it takes for interrupted."""

    @property
    def in_doubt(self) -> bool:
        return self._scene.playout.holding

    @property
    def forbidden(self) -> bool:
        """What is being said, or about to be, must be heard."""
        rules = self._scene.rules
        return not rules.barge_in or self._voice.must_be_heard

    def likely(self) -> None:
        scene = self._scene
        if scene.playout.open and not self.forbidden and scene.state in (State.SPEAKING, State.GREETING):
            self._ducked = True
            scene.do(act.Duck(DUCKED))

    def restore(self) -> None:
        if self._ducked:
            self._ducked = False
            self._scene.do(act.Duck(1.0))

    def stop(self, onset_ms: int) -> None:
        """The caller speaks: silence now, and keep the rest."""
        scene = self._scene
        scene.do(act.StopVoice())
        self.restore()
        scene.latency.add("stop", scene.now - onset_ms)
        scene.sounding = False
        self.told = False
        if scene.playout.unfinished or scene.playout.remaining(scene.heard) > NEARLY_OVER_MS:
            scene.playout.hold(now=scene.now, heard=scene.heard)
        else:
            self._tell(onset_ms)
            self.give_up()

    def silence(self, onset_ms: int) -> None:
        """Stop for good, without a doubt."""
        scene = self._scene
        scene.do(act.StopVoice())
        self.restore()
        self._tell(onset_ms)
        self.give_up()

    def prove(self, onset_ms: int) -> None:
        """It is the caller: the provider is told how far it was heard. The rest may still be taken up again."""
        if self.in_doubt and not self.told:
            self._tell(onset_ms)

    def _tell(self, onset_ms: int) -> None:
        scene = self._scene
        self.told = True
        self._told_of.clear()
        heard_of = scene.playout.held(now=scene.now) or scene.playout.opened(now=scene.now, heard=scene.heard)
        for heard in heard_of:
            self._voice.refuse(heard.utterance_id)
            if not self._voice.is_filler(heard.utterance_id):
                self._told_of.append(heard.utterance_id)
                scene.do(act.TellInterrupted(heard.utterance_id, heard.text, heard.heard_ms))
        scene.note("barge_in", onset_ms=onset_ms, heard_ms=heard_of[0].heard_ms if heard_of else 0)

    def give_up(self) -> None:
        """What was left of the voice is not said any more."""
        self._scene.watch.clear("doubt")
        self._voice.cut()

    def take_up(self, why: str) -> bool:
        """Go on with the voice, where that can be done; the provider's answer to what it was told is not wanted."""
        scene = self._scene
        scene.watch.clear("doubt")
        if not self.in_doubt or (self.told and not scene.playout.held_is_complete):
            self.give_up()
            return False
        if self.told:
            self._voice.hush()
            for utterance_id in self._told_of:
                scene.do(act.TellResumed(utterance_id))
        pcm = scene.playout.resume(now=scene.now, heard=scene.heard)
        scene.note("resumed", reason=why)
        scene.watch.clear("answer")
        scene.watch.clear("silence")
        scene.state = State.SPEAKING
        scene.sounding = True
        scene.unanswered = None
        scene.do(act.Play(pcm))
        return True
