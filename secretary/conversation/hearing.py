"""From voice activity to events of the conversation: stages of an interruption, echoes, ends of turns."""

from __future__ import annotations

from typing import Protocol

from eslbridge.media.contract import BYTES_PER_MS, AudioLeg
from secretary.audio import echo
from secretary.audio.line import LineWatch
from secretary.audio.melody import falls
from secretary.audio.turns import (
    SpeechEnded,
    SpeechLikely,
    SpeechProven,
    SpeechStarted,
    SpeechUnlikely,
    TurnDetector,
)
from secretary.conversation import events as ev
from secretary.conversation.ear import Ear
from secretary.conversation.pause import pause_after
from secretary.conversation.state import Rules

QUIET_MS = 280
"""So long after the last sound the pause is chosen: before the shortest is over, and not between two words."""
MELODY_MS = 1_100


class Talk(Protocol):
    """What hearing needs to know of the conversation."""

    @property
    def listens(self) -> bool:
        """Whether it is the caller's turn to speak, and nobody does as far as is known."""
        ...

    def reference(self, heard: int, ms: int) -> bytes:
        """The last `ms` of the secretary's voice that the caller heard."""


class Turns(Protocol):
    """What hearing needs to know of the provider."""

    @property
    def detects_turns(self) -> bool: ...


class Hearing:
    """One call's ear for turns. `judge` runs 31 times a second; what costs more runs only where speech is suspected."""

    def __init__(self, rules: Rules, ear: Ear, talk: Talk, provider: Turns) -> None:
        self._rules, self._ear, self._talk, self._provider = rules, ear, talk, provider
        self._turns = TurnDetector(pause_ms=rules.pause_ms)
        self._echo = echo.EchoGuard()
        self._line = LineWatch()
        self._interim = ""
        self._adapts = rules.turn_mode == "adaptive"
        self._listened_to = -1
        """The last sound after which a pause was chosen."""
        self._voice_at = -echo.REFERENCE_MS
        """When the secretary was heard last."""
        self.echoes = 0
        """How often the secretary's own voice was taken for the caller's, and was not."""

    def judge(self, probability: float, now: int, leg: AudioLeg) -> ev.Event | None:
        """Take the judgement of the window that just ended."""
        turns = self._turns
        if leg.queued_ms:
            self._voice_at = now
        if turns.speaking and self._talk.listens:
            turns.dismiss()  # a turn that was too long was answered, and the caller speaks on: that is another one
        if not turns.speaking:
            turns.alert = leg.queued_ms > 0
        change = turns.update(probability, now)
        if change is None:
            if turns.speaking and self._adapts and now - turns.last_sound_ms >= QUIET_MS:
                self._choose_pause(turns)
            return ev.MusicHeard() if not turns.alert and self._line.update(probability) else None
        match change:
            case SpeechLikely():
                return self._unless_echo(leg, now, ev.CallerLikely())
            case SpeechUnlikely():
                return ev.CallerUnlikely()
            case SpeechStarted(onset_ms):
                self._interim, turns.pause_ms = "", self._rules.pause_ms
                return self._unless_echo(leg, now, ev.CallerStarted(onset_ms))
            case SpeechProven():
                return ev.CallerProven()
            case SpeechEnded(last_sound_ms):
                return ev.CallerEnded(last_sound_ms, self._provider.detects_turns)

    def understood_so_far(self, text: str) -> None:
        """The provider writes down what it hears while it hears it."""
        self._interim = text
        self._listened_to = -1

    def _choose_pause(self, turns: TurnDetector) -> None:
        if self._listened_to != turns.last_sound_ms:
            self._listened_to = turns.last_sound_ms
            falling = None if self._interim else falls(self._ear.recent(MELODY_MS))
            turns.pause_ms = pause_after(self._rules.pause_ms, self._interim, falling=falling)

    def turn_is_over(self) -> None:
        """The provider has decided: what comes next is a new turn."""
        self._turns.dismiss()

    def _unless_echo(self, leg: AudioLeg, now: int, event: ev.Event) -> ev.Event | None:
        # What a voice said last comes back when it is over.
        if now - self._voice_at > echo.REFERENCE_MS or not self._is_echo(leg, now):
            return event
        return ev.CallerUnlikely() if self._turns.dismiss() is not None else None

    def _is_echo(self, leg: AudioLeg, now: int) -> bool:
        since = bytes((now - self._voice_at) * BYTES_PER_MS)
        reference = self._talk.reference(leg.heard_ms, echo.REFERENCE_MS) + since
        found = self._echo.is_echo(self._ear.recent(echo.LISTEN_MS), reference)
        self.echoes += found
        return found
