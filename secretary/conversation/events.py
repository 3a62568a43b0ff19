"""What can happen in a conversation. The session gives these to the machine, each with the moment it happened."""

from __future__ import annotations

from dataclasses import dataclass

from secretary.speech.contract import ToolCall


@dataclass(frozen=True, slots=True)
class Started:
    """The call is answered, audio flows both ways, the provider is ready."""


@dataclass(frozen=True, slots=True)
class VoiceArrived:
    """The provider delivered voice: L16 8,000 Hz and the words in it. `last` closes the utterance."""

    utterance_id: str
    text: str
    pcm: bytes
    last: bool
    exact: bool = True
    """The provider says the platform's sentences word for word, so that they can be told from its own."""


@dataclass(frozen=True, slots=True)
class Drained:
    """The caller has heard everything that was queued."""


@dataclass(frozen=True, slots=True)
class CallerLikely:
    """Perhaps the caller speaks."""


@dataclass(frozen=True, slots=True)
class CallerUnlikely:
    """It was nothing."""


@dataclass(frozen=True, slots=True)
class CallerStarted:
    """Voice activity is sure that the caller speaks; `onset_ms` is when it began, on the call's clock."""

    onset_ms: int


@dataclass(frozen=True, slots=True)
class CallerProven:
    """The caller has spoken so long by now that it is no cough and no "uh-huh"."""


@dataclass(frozen=True, slots=True)
class CallerEnded:
    """The caller's turn is over; `last_sound_ms` is when the caller fell silent, on the call's clock."""

    last_sound_ms: int
    provider_decides: bool = False
    """The provider answers when it holds the turn to be over, and needs not be told."""


@dataclass(frozen=True, slots=True)
class ProviderHeard:
    """The provider itself heard the caller begin."""


@dataclass(frozen=True, slots=True)
class ProviderStopped:
    """The provider itself holds the caller's turn to be over, and answers it."""


@dataclass(frozen=True, slots=True)
class Thinking:
    """The provider's first sign of an answer."""


@dataclass(frozen=True, slots=True)
class CallerText:
    """What the provider understood of the oldest turn not yet answered. May be empty."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The provider wants something done."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class ToolDone:
    """A tool that the session ran has ended; `outcome` is `ok` or one word for what went wrong."""

    tool_call_id: str
    outcome: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Pressed:
    """The caller pressed a key."""

    digit: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The caller's channel is gone. `cause` is the switch's hangup cause."""

    cause: str


@dataclass(frozen=True, slots=True)
class CallLeft:
    """The call lives on, but elsewhere: transferred or bridged."""

    reason: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A part of the call failed for good: `part` is `leg`, `provider` or `node`."""

    part: str
    reason: str


@dataclass(frozen=True, slots=True)
class AllowanceChanged:
    """The domain's quotas carry the call until `until_ms` on the call's clock; None: as long as it likes."""

    until_ms: int | None


@dataclass(frozen=True, slots=True)
class MusicHeard:
    """The line brings sound without a pause that is no speech."""


@dataclass(frozen=True, slots=True)
class LanguageChanged:
    """The caller speaks this language now: `en` or `pt-br`."""

    language: str


@dataclass(frozen=True, slots=True)
class Spent:
    """What the call has cost so far, in the installation's currency."""

    cost: float


@dataclass(frozen=True, slots=True)
class Tick:
    """The machine's own deadline has come."""


Event = (
    Started
    | VoiceArrived
    | Drained
    | CallerLikely
    | CallerUnlikely
    | CallerStarted
    | CallerProven
    | CallerEnded
    | ProviderHeard
    | ProviderStopped
    | Thinking
    | CallerText
    | ToolCalled
    | ToolDone
    | Pressed
    | CallEnded
    | CallLeft
    | Broken
    | AllowanceChanged
    | MusicHeard
    | LanguageChanged
    | Spent
    | Tick
)
