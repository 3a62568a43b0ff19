"""The secretary's voice: what arrives of it, what is played, what was heard."""

from __future__ import annotations

from collections import deque

from secretary.conversation import actions as act
from secretary.conversation import events as ev
from secretary.conversation.playout import Heard
from secretary.conversation.scene import Scene
from secretary.conversation.state import State

FILLER = "filler"
MOST_ASKED = 8
"""Sentences of the platform that are asked for and not yet heard of; a provider that says none loses the oldest."""


class Voice:
    """Plays what the provider delivers, cuts it when told to, and writes down what was heard."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._cut: deque[str] = deque(maxlen=8)
        self._asked: deque[act.Say] = deque(maxlen=MOST_ASKED)
        self._platform: dict[str, act.Say] = {}
        """By utterance, the platform's own sentences that are being said."""
        self._foreign: deque[str] = deque(maxlen=MOST_ASKED)
        """Utterances that are none of them."""

    def say(self, text: str, kind: str = "", *, keep: bool = True) -> None:
        """Have the platform's own sentence spoken."""
        sentence = act.Say(text, kind, keep)
        self._asked.append(sentence)
        self._scene.do(sentence)

    def arrived(self, voice: ev.VoiceArrived) -> None:
        scene = self._scene
        if voice.utterance_id in self._cut or scene.state is State.TRANSFERRING:
            return  # the caller spoke, or has gone: what was still under way of it must not be heard
        sentence = self._platforms_own(voice)
        filler = sentence is not None and sentence.kind == FILLER
        if scene.speaking is not None:
            self._cut.append(voice.utterance_id)
            if not filler:
                scene.do(act.TellInterrupted(voice.utterance_id, "", 0))
            return
        scene.watch.clear("silence")
        if not filler:
            scene.watch.clear("answer")
            self._measure_first()
        scene.playout.queued(
            voice.utterance_id, voice.text, len(voice.pcm), voice.last, now=scene.now, heard=scene.heard
        )
        if voice.pcm:
            scene.sounding = True
            scene.do(act.Play(voice.pcm))
        if scene.state is State.LISTENING:
            scene.state = State.SPEAKING

    def _platforms_own(self, voice: ev.VoiceArrived) -> act.Say | None:
        """The platform's sentence that this utterance says, if it is one; known by its first words."""
        if (known := self._platform.get(voice.utterance_id)) is not None or not self._asked:
            return known
        if voice.utterance_id in self._foreign:
            return None
        begin = _plain(voice.text)
        for n, sentence in enumerate(self._asked):
            if _plain(sentence.text).startswith(begin):
                for _ in range(n + 1):
                    self._asked.popleft()
                self._platform[voice.utterance_id] = sentence
                return sentence
        self._foreign.append(voice.utterance_id)
        return None

    def drained(self) -> None:
        scene = self._scene
        scene.sounding = False
        scene.heard = max(scene.heard, scene.playout.end)
        if scene.playout.unfinished:  # the provider is slower than speech; more of this utterance must come
            scene.expect_answer()

    def write_heard(self) -> None:
        """The lines of what has been heard to its end."""
        for heard in self._scene.playout.settled(now=self._scene.now, heard=self._scene.heard):
            self._settle(heard)

    def cut(self) -> list[Heard]:
        """Nothing more of what is queued is heard: how far each utterance came, as the provider is to know it."""
        scene = self._scene
        scene.sounding = False
        told = []
        for heard in scene.playout.cut(now=scene.now, heard=scene.heard):
            self._cut.append(heard.utterance_id)
            if not self._settle(heard):
                told.append(heard)
        return told

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

    def _settle(self, heard: Heard) -> bool:
        """Write down what was heard; True for a filler, which is no part of what was said."""
        sentence = self._platform.pop(heard.utterance_id, None)
        filler = sentence is not None and sentence.kind == FILLER
        if heard.text and not filler:
            self._scene.do(act.Line("secretary", heard.text, heard.began_at, heard.ended_at, not heard.whole))
        return filler


def _plain(text: str) -> str:
    return " ".join("".join(one if one.isalnum() else " " for one in text.casefold()).split())
