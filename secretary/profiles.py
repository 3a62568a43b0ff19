"""What the voice node is told about a secretary, and what it tells about a call: frozen values, no database behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from eslbridge.profiles import MediaProfile
from secretary.opening.timetable import Opening
from secretary.redaction import CARDS, Kinds


@dataclass(frozen=True, slots=True)
class DestinationProfile:
    """Somebody a caller can be put through to."""

    destination_uuid: UUID
    name: str
    aliases: tuple[str, ...]
    number: str
    kind: str
    priority: int


@dataclass(frozen=True, slots=True)
class SpeechChoice:
    """One entry of a secretary's chain of speech services, as it was chosen. No secret in it."""

    provider: str
    credential_uuid: UUID | None = None
    """None: the domain's own of this service, else the installation's."""
    model: str = ""
    voice: str = ""


@dataclass(frozen=True, slots=True)
class HttpToolProfile:
    """A tenant's own tool as a call knows it. No secret in it."""

    tool_uuid: UUID
    name: str
    description: str
    parameters: Mapping[str, Any] = field(hash=False)
    timeout_s: float = 5.0
    per_call: int = 5
    per_minute: int = 60


@dataclass(frozen=True, slots=True)
class Manner:
    """How a secretary's conversations go."""

    turn_mode: str = "adaptive"
    pause_ms: int = 700
    barge_in: bool = True
    protect_ms: int = 500
    menu: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False)
    """As it is stored: see `secretary.models.menu`."""
    max_turns: int = 0
    max_cost: float = 0.0
    silence_hangs_up: bool = False


@dataclass(frozen=True, slots=True)
class SecretaryProfile:
    """All that a call needs of the database, read once at its beginning. No secret in it."""

    domain_uuid: UUID
    domain_name: str
    """Also the dialplan context."""
    time_zone: str
    max_calls: int
    secretary_uuid: UUID
    name: str
    language: str
    voice: str
    greeting: str
    prompt: str
    provider: str
    record_calls: bool
    max_call_s: int
    silence_s: float
    silence_prompts: int
    fallback_number: str
    extension: str
    media: MediaProfile
    destinations: tuple[DestinationProfile, ...]
    """Enabled ones, the highest priority first."""
    redact: Kinds = CARDS
    """What of a conversation is neither shown nor kept."""
    manner: Manner = field(default_factory=Manner)
    opening: Opening | None = None
    """How the secretary's hours stand as the call comes in."""
    closed_action: str = "answer"
    """What happens out of hours: one of `secretary.models.ClosedAction`."""
    closed_greeting: str = ""
    closed_secretary_uuid: UUID | None = None
    closed_number: str = ""
    message_only: bool = False
    """Out of hours: nobody is put through, a message is taken."""
    tools: tuple[str, ...] = ()
    """Names of the platform's tools that were chosen, and of the domain's own."""
    own_tools: tuple[HttpToolProfile, ...] = ()
    disclosure: str = ""
    """What the platform says before anything else; empty: nothing."""
    recorder: str = "node"
    """Who records: one of `secretary.models.secretary.Recorder`."""
    record_after_disclosure: bool = False
    """Callers must have been told before a word of theirs is recorded."""
    remembers_callers: bool = False
    country_code: str = "1"
    """Of numbers that are shown without one."""
    prompt_version: int | None = None
    callback_other_numbers: bool = False
    summarise: bool = True
    """A language model may sum the call up, where the chain has one."""
    chain: tuple[SpeechChoice, ...] = ()
    """Who speaks, the first choice first; empty: `provider` alone. Resolved by `selectors.speech_chain`."""


@dataclass(frozen=True, slots=True)
class UtteranceRecord:
    """One line of the transcript; ms since the call's start."""

    who: str
    text: str
    start_ms: int
    end_ms: int
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One point of the timeline; ms since the call's start."""

    at_ms: int
    kind: str
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """A message as far as it has come. The same UUID again replaces it."""

    text: str = ""
    audio: str = ""
    """Path below DATA_DIR."""
    complete: bool = False
    message_uuid: UUID = field(default_factory=uuid4)
    given: Mapping[str, str] = field(default_factory=dict)
    """What the caller told of themselves: `name`, `number`, `reason`, `urgency`."""


@dataclass(frozen=True, slots=True)
class UsageItem:
    """What a call used of one provider: `unit` is one of `UsageUnit`. Seconds say how the call's time is shared."""

    provider: str
    unit: str
    quantity: float
    model: str = ""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call's end, to be written in one go."""

    outcome: str
    outcome_detail: str = ""
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    """None: now."""
    destination_uuid: UUID | None = None
    recording: str = ""
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    utterances: tuple[UtteranceRecord, ...] = ()
    events: tuple[EventRecord, ...] = ()
    message: MessageRecord | None = None
    usage: tuple[UsageItem, ...] = ()
    provider: str = ""
    """Who had the call for longest; empty: who was to have it."""
    model: str = ""
    language: str = "en"
    """Of the summary."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the caller told of themselves, as tools were given it: `name`, `number`, `reason`, `urgency`."""
    summary: str = ""
    """By a language model; empty: it is put together without one."""
    disclosure: str = ""
    """What the caller was told before anything else, as far as it was spoken."""
    prompt_version: int | None = None
