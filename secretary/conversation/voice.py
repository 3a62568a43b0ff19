"""The secretary's voice: what arrives of it, what is played, what was heard."""

from __future__ import annotations

from collections import deque

from secretary.conversation import actions as act
from secretary.conversation import events as ev
from secretary.conversation.loops import Loops, plain
from secretary.conversation.playout import Heard
from secretary.conversation.scene import Scene
from secretary.conversation.state import State
from secretary.speech.contract import COVER

FILLER = "filler"
DISCLOSURE = "disclosure"
SOON_MS = 100
MOST_ASKED = 8
"""Sentences of the platform that are asked for and not yet heard of; a provider that says none loses the oldest."""


class Voice:
    """Plays what the provider delivers, cuts it when told to, and writes down what was heard."""

    def __init__(self, scene: Scene, loops: Loops) -> None:
        self._scene, self._loops = scene, loops
        self.last_said = ""
        """What the caller heard last, as far as it was heard."""
        self._cut: deque[str] = deque(maxlen=32)
        self._asked: deque[act.Say] = deque(maxlen=MOST_ASKED)
        self._platform: dict[str, act.Say] = {}
        """By utterance, the platform's own sentences that are being said."""
        self._greeting_from: int | None = None
        """Where the greeting begins, in ms of heard voice."""
        self._hushed = False
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
        covers = voice.utterance_id.startswith(COVER)
        filler = covers or (sentence is not None and sentence.kind == FILLER)
        turn = scene.speaking
        if scene.playout.holding and (turn is None or not turn.taken):
            # Stopped, but perhaps not for good: what comes now belongs to what is kept.
            scene.playout.held_more(voice.utterance_id, voice.text, voice.pcm, voice.last, now=scene.now)
            return
        if self._hushed and sentence is None and not scene.playout.has(voice.utterance_id):
            self._not_wanted(voice.utterance_id)
            return
        if turn is not None and not turn.over_voice:
            self._not_wanted(voice.utterance_id, filler=filler)
            return
        if scene.state is State.LEAVING and sentence is None and (voice.exact or not self._asked):
            self._not_wanted(voice.utterance_id)  # an answer that comes too late is not the last sentence
            return
        scene.watch.clear("silence")
        if covers:
            self._still_owed()
        elif not filler:
            scene.watch.clear("answer")
            self._measure_first(answers=sentence is None)
        if self._greeting_from is None and (sentence is None or sentence.kind != DISCLOSURE):
            self._greeting_from = max(scene.playout.end, scene.heard)
        scene.playout.queued(voice.utterance_id, voice.text, voice.pcm, voice.last, now=scene.now, heard=scene.heard)
        if voice.pcm:
            scene.sounding = True
            scene.do(act.Play(voice.pcm))
        if sentence is not None and sentence.kind == DISCLOSURE:
            scene.watch.set("told", scene.now + SOON_MS)
        if scene.state is State.LISTENING:
            scene.state = State.SPEAKING

    def look_whether_told(self) -> None:
        """What hangs on the disclosure (interrupting, recording) begins as soon as it was heard."""
        if any(sentence.kind == DISCLOSURE for sentence in self._platform.values()):
            self._scene.watch.set("told", self._scene.now + SOON_MS)

    def _not_wanted(self, utterance_id: str, *, filler: bool = False) -> None:
        """The caller speaks, or is not to hear this: the provider learns that nothing of it was heard."""
        self._cut.append(utterance_id)
        self._platform.pop(utterance_id, None)
        if not filler:
            self._scene.do(act.TellInterrupted(utterance_id, "", 0))

    def refused(self, utterance_id: str) -> bool:
        return utterance_id in self._cut

    def refuse(self, utterance_id: str) -> None:
        """What still comes of this is not played."""
        self._cut.append(utterance_id)

    def is_filler(self, utterance_id: str) -> bool:
        sentence = self._platform.get(utterance_id)
        return utterance_id.startswith(COVER) or (sentence is not None and sentence.kind == FILLER)

    def hush(self) -> None:
        """Nothing new of the provider's is played until the caller speaks, or it wants something done."""
        self._hushed = True

    def speak_again(self) -> None:
        self._hushed = False

    @property
    def must_be_heard(self) -> bool:
        """What is being said, or about to be, may not be interrupted."""
        scene = self._scene
        if any(sentence.kind == DISCLOSURE for sentence in self._platform.values()):
            return True
        if scene.state is not State.GREETING:
            return False
        if any(sentence.kind == DISCLOSURE for sentence in self._asked):
            return True
        if not scene.rules.protect_ms or not scene.rules.greeting:
            return False
        return self._greeting_from is None or scene.heard < self._greeting_from + scene.rules.protect_ms

    def _platforms_own(self, voice: ev.VoiceArrived) -> act.Say | None:
        """The platform's sentence that this utterance says, if it is one; known by its first words."""
        if (known := self._platform.get(voice.utterance_id)) is not None or not self._asked:
            return known
        if voice.utterance_id in self._foreign:
            return None
        begin = plain(voice.text)
        for n, sentence in enumerate(self._asked):
            if plain(sentence.text).startswith(begin) and (begin or sentence.kind != FILLER):
                for _ in range(n + 1):
                    self._asked.popleft()
                self._platform[voice.utterance_id] = sentence
                return sentence
        if begin:  # else its words come later, and tell
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

    def cut(self) -> None:
        """Nothing more of what is queued or kept is heard: write down how far it came."""
        scene = self._scene
        scene.sounding = False
        for heard in scene.playout.cut(now=scene.now, heard=scene.heard):
            self._cut.append(heard.utterance_id)
            self._settle(heard)

    def _still_owed(self) -> None:
        """The wait is covered, but not for ever: by twice the time for an answer there must be one."""
        scene = self._scene
        asked_at = scene.unanswered.decided_ms if scene.unanswered is not None else scene.now
        patience_ms = scene.rules.answer_ms
        scene.watch.set("answer", min(scene.now + patience_ms, asked_at + 2 * patience_ms))

    def _measure_first(self, *, answers: bool) -> None:
        """The first voice of the greeting, or after a turn of the caller: the platform's own sentences answer none."""
        scene = self._scene
        if scene.playout.open:
            return
        if scene.state is State.GREETING:
            scene.latency.add("greeting", scene.now)
        if not answers:
            return
        turn, scene.unanswered = scene.unanswered, None
        if turn is not None:
            stages = turn.stages(scene.now)
            for stage, ms in stages.items():
                scene.latency.add(stage, ms)
            scene.note("turn", **stages)

    def _settle(self, heard: Heard) -> None:
        """Write down what was heard, and forget the rest. A filler is no part of what was said."""
        filler = self.is_filler(heard.utterance_id)
        sentence = self._platform.pop(heard.utterance_id, None)
        kind = sentence.kind if sentence is not None else ""
        if kind == DISCLOSURE:
            self._scene.note("disclosed", text=heard.text, whole=heard.whole)
        if heard.text and not filler:
            self.last_said = heard.text
            if sentence is None and heard.whole and self._loops.said(heard.text):
                self._scene.stuck = "circles"
            self._scene.do(act.Line("secretary", heard.text, heard.began_at, heard.ended_at, not heard.whole))
