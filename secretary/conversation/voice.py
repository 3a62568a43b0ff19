"""The secretary's voice: what arrives of it, what is played, what was heard."""

from __future__ import annotations

from collections import deque

from secretary.conversation import actions as act
from secretary.conversation import events as ev
from secretary.conversation.playout import Heard
from secretary.conversation.scene import Scene
from secretary.conversation.state import State


class Voice:
    """Plays what the provider delivers, cuts it when told to, and writes down what was heard."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._cut: deque[str] = deque(maxlen=8)

    def arrived(self, voice: ev.VoiceArrived) -> None:
        scene = self._scene
        if voice.utterance_id in self._cut or scene.state is State.TRANSFERRING:
            return  # the caller spoke, or has gone: what was still under way of it must not be heard
        if scene.speaking is not None:
            self._cut.append(voice.utterance_id)
            scene.do(act.TellInterrupted(voice.utterance_id, "", 0))
            return
        scene.watch.clear("answer")
        scene.watch.clear("silence")
        self._measure_first()
        scene.playout.queued(
            voice.utterance_id, voice.text, len(voice.pcm), voice.last, now=scene.now, heard=scene.heard
        )
        if voice.pcm:
            scene.sounding = True
            scene.do(act.Play(voice.pcm))
        if scene.state is State.LISTENING:
            scene.state = State.SPEAKING

    def drained(self) -> None:
        scene = self._scene
        scene.sounding = False
        scene.heard = max(scene.heard, scene.playout.end)
        if scene.playout.unfinished:  # the provider is slower than speech; more of this utterance must come
            scene.expect_answer()

    def write_heard(self) -> None:
        """The lines of what has been heard to its end."""
        for heard in self._scene.playout.settled(now=self._scene.now, heard=self._scene.heard):
            self._line(heard)

    def cut(self) -> list[Heard]:
        """Nothing more of what is queued is heard: how far each utterance came, written down."""
        scene = self._scene
        scene.sounding = False
        cut = scene.playout.cut(now=scene.now, heard=scene.heard)
        for heard in cut:
            self._cut.append(heard.utterance_id)
            self._line(heard)
        return cut

    def _measure_first(self) -> None:
        scene = self._scene
        if scene.playout.open:
            return
        if scene.state is State.GREETING:
            scene.latency.add("greeting", scene.now)
        if scene.unanswered is not None:
            scene.latency.add("answer", scene.now - scene.unanswered.decided_ms)
            scene.latency.add("response", scene.now - scene.unanswered.last_sound_ms)
            scene.unanswered = None

    def _line(self, heard: Heard) -> None:
        if heard.text:
            self._scene.do(act.Line("secretary", heard.text, heard.began_at, heard.ended_at, not heard.whole))
