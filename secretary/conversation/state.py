"""Where a conversation stands, and the rules it goes by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

TurnMode = Literal["adaptive", "provider", "fixed"]


class State(Enum):
    GREETING = "greeting"
    LISTENING = "listening"
    SPEAKING = "speaking"
    TRANSFERRING = "transferring"
    LEAVING = "leaving"
    """Saying the last sentence; nothing that is said or called now changes the end."""
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Key:
    """What a key of the secretary's menu does."""

    do: str
    """`transfer`, `repeat`, `end`, or `fallback` (a person, by the dialplan)."""
    destination_uuid: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the secretary's settings say about the conversation; all times in ms."""

    language: str = "en"
    greeting: str = ""
    disclosure: str = ""
    """What the caller is told before anything else, and cannot interrupt; empty for nothing."""
    turn_mode: TurnMode = "adaptive"
    """Who decides when the caller has finished, where the provider does not do it by itself."""
    pause_ms: int = 700
    """Quiet that ends a turn; `adaptive` goes a little below and well above it."""
    barge_in: bool = True
    protect_ms: int = 500
    """So much of the greeting cannot be interrupted."""
    silence_ms: int = 8_000
    """How long the caller may be silent before being asked whether they are there."""
    silence_prompts: int = 2
    silence_hangs_up: bool = False
    """A caller who stays silent is said goodbye to, instead of being passed on."""
    menu: tuple[tuple[str, Key], ...] = ()
    """What keys do, by digit; any other goes to the provider."""
    max_turns: int = 0
    """Turns of the caller; 0: as many as they like."""
    max_cost: float = 0.0
    """What the call may cost, in the installation's currency; 0: no limit."""
    max_call_ms: int = 600_000
    allowed_ms: int | None = None
    """Until when on the call's clock the domain's quotas carry the call; `AllowanceChanged` moves it. None: no end."""
    goodbye_ms: int = 5_000
    """How long before that the last sentence begins."""
    greeting_ms: int = 3_000
    """How long the provider may take to produce the first voice of the call."""
    answer_ms: int = 6_000
    """How long the provider may take to answer a turn; at twice that the caller goes to the fallback."""
    transfer_ms: int = 20_000
    tool_ms: int = 20_000
    """How long any other tool may take before the provider is told that it failed."""
    filler_ms: int = 700
    """How long a tool may be silent before the caller hears a sentence that covers it; 0: never."""
    filler_again_ms: int = 6_000
    hold_ms: int = 60_000
    """How long a caller is on hold where the provider does not say."""
    recording_pause_ms: int = 90_000
    """How long the recording is paused at most: nobody forgets to have it go on."""
    doubt_ms: int = 1_500
    """How long a voice that was interrupted by very little may go on after all, once the caller is quiet again."""
    max_turn_ms: int = 45_000
    """The longest turn: somebody who never pauses is a recording, or needs to be answered."""
    save_ms: int = 15_000
    """How long storing a message may take before the provider is told that it failed; storing goes on."""
    message_ms: int = 180_000
    """The longest message a caller may leave."""


@dataclass(slots=True)
class Turn:
    """One turn of the caller, waiting for its words."""

    onset_ms: int
    last_sound_ms: int = 0
    decided_ms: int = 0
    over_voice: bool = False
    """Spoken over a voice that may not be interrupted: it goes on."""
    taken: bool = False
    """The caller has the floor: the provider knows of this turn."""
    thinking_ms: int | None = None
    """When the provider gave its first sign of an answer."""

    def stages(self, voice_ms: int) -> dict[str, int]:
        """How long each stage took from the caller's last sound to the first voice at `voice_ms`: see `latency`."""
        stages = {"answer": voice_ms - self.decided_ms, "response": voice_ms - self.last_sound_ms}
        if self.thinking_ms is not None:
            stages["thinking"] = self.thinking_ms - self.decided_ms
            stages["voice"] = voice_ms - self.thinking_ms
        return {"end_of_turn": self.decided_ms - self.last_sound_ms} | stages


class Message(Enum):
    """How far a message left by the caller has come."""

    NONE = "none"
    OPEN = "open"
    """The caller has been asked to speak."""
    BEGUN = "begun"
    """The caller has said something that must not be lost."""
    SAVED = "saved"


MOST_WAITING_TURNS = 20
"""Turns without words kept at a time; a provider that never gives words loses the oldest."""
