"""The simplest conversation there is: answer every turn with speech, and fall silent when interrupted.

It stands where the real session stands, on the same leg and the same voice activity, so that a measurement of the audio
path is not one of a provider.
"""

from __future__ import annotations

import time

from eslbridge.media.contract import AudioLeg
from secretary.audio.turns import SpeechStarted, TurnDetector
from secretary.audio.vad import VoiceActivity


class Agent:
    """One call's agent. `voice` is shared by all of them."""

    __slots__ = ("_began", "_leg", "_slot", "_speech", "_turns", "_voice", "drained", "interrupted", "lost")

    def __init__(self, leg: AudioLeg, speech: VoiceActivity | None, voice: bytes) -> None:
        self._leg = leg
        self._speech = speech
        self._voice = voice
        self._turns = TurnDetector()
        self._began = time.monotonic()
        self._slot = speech.open(self._judged) if speech is not None else -1
        self.drained = self.interrupted = self.lost = 0
        leg.listen(self)
        leg.play(voice)

    def on_frame(self, frame: bytes) -> None:
        if self._speech is not None:
            self._speech.feed(self._slot, frame)

    def on_drained(self) -> None:
        self.drained += 1
        self._leg.play(self._voice)

    def on_lost(self, reason: str) -> None:
        self.lost += 1

    def _judged(self, probability: float) -> None:
        change = self._turns.update(probability, int((time.monotonic() - self._began) * 1000))
        if change is None:
            return
        if isinstance(change, SpeechStarted):
            if self._leg.queued_ms:
                self.interrupted += 1
                self._leg.stop()
        else:
            self._leg.play(self._voice)
