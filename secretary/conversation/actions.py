"""What the machine wants done. The session carries these out in order; none of them waits for another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Say:
    """Have the platform's own sentence spoken, by the provider or by the platform's voice."""

    text: str
    kind: str = ""
    """`filler` covers a tool that takes long, `disclosure` is what the caller must be told; else empty."""
    keep: bool = True
    """Whether the provider is to remember that it was said."""


@dataclass(frozen=True, slots=True)
class Play:
    """Queue this voice on the audio leg."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class StopVoice:
    """Silence the secretary now."""


@dataclass(frozen=True, slots=True)
class Duck:
    """Turn the secretary's voice down to this gain; 1.0 is normal."""

    gain: float


@dataclass(frozen=True, slots=True)
class TellInterrupted:
    """Tell the provider how far the caller heard its utterance."""

    utterance_id: str
    heard_text: str
    heard_ms: int


@dataclass(frozen=True, slots=True)
class TellResumed:
    """Tell the provider that the caller hears the rest of this utterance after all: it was no interruption."""

    utterance_id: str


@dataclass(frozen=True, slots=True)
class Attend:
    """Keep the caller's audio from now on: it may be a turn."""


@dataclass(frozen=True, slots=True)
class BeginTurn:
    """The caller has the floor: tell the provider."""


@dataclass(frozen=True, slots=True)
class EndTurn:
    """The caller's turn is complete: give its audio to the provider."""


@dataclass(frozen=True, slots=True)
class DropTurn:
    """Forget the caller's audio: it was no turn, or the provider has heard it by itself."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """Put the caller through. The session answers with ToolDone only when it failed; success is the call leaving."""

    tool_call_id: str
    destination_uuid: str


@dataclass(frozen=True, slots=True)
class StartMessage:
    """Keep the caller's audio from now on: a message begins."""


@dataclass(frozen=True, slots=True)
class MessageBegun:
    """The caller speaks the first word of a message."""


@dataclass(frozen=True, slots=True)
class SaveMessage:
    """Store the message. `complete` is false when the caller was cut off. Answered with ToolDone when it has an id."""

    tool_call_id: str
    text: str
    complete: bool
    given: Mapping[str, str] = field(default_factory=dict)
    """What the caller told of themselves, as far as it is known: `name`, `number`, `reason`, `urgency`."""


@dataclass(frozen=True, slots=True)
class RunTool:
    """Do this outside of the conversation. Answered with ToolDone."""

    tool_call_id: str
    name: str
    arguments: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SendDigits:
    """Press these keys on the caller's line. Answered with ToolDone."""

    tool_call_id: str
    digits: str


@dataclass(frozen=True, slots=True)
class PauseRecording:
    """Have silence recorded from now on. Answered with ToolDone."""

    tool_call_id: str


@dataclass(frozen=True, slots=True)
class ResumeRecording:
    """Record sound again."""


@dataclass(frozen=True, slots=True)
class HoldMusic:
    """Play the caller music from now on, or stop it."""

    on: bool


@dataclass(frozen=True, slots=True)
class AnswerTool:
    """Tell the provider how its tool ended."""

    tool_call_id: str
    outcome: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PassDigit:
    """Tell the provider which key was pressed."""

    digit: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""

    cause: str = "NORMAL_CLEARING"


@dataclass(frozen=True, slots=True)
class Leave:
    """Give the caller to the dialplan's fallback: a human, or voicemail. `reason` is one word for the record."""

    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the transcript: what was said *and heard*, when, on the call's clock (ms)."""

    who: str
    """`caller` or `secretary`."""
    text: str
    start_ms: int
    end_ms: int
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """One entry of the call's timeline."""

    kind: str
    at_ms: int
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Close:
    """The conversation is over. `outcome` is a value of `Call.outcome`."""

    outcome: str
    detail: str = ""


Action = (
    Say
    | Play
    | StopVoice
    | Duck
    | TellInterrupted
    | TellResumed
    | Attend
    | BeginTurn
    | EndTurn
    | DropTurn
    | Transfer
    | StartMessage
    | MessageBegun
    | SaveMessage
    | RunTool
    | SendDigits
    | PauseRecording
    | ResumeRecording
    | HoldMusic
    | AnswerTool
    | PassDigit
    | HangUp
    | Leave
    | Line
    | Note
    | Close
)
