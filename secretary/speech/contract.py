"""What a speech provider is to a conversation: somebody who listens, thinks and talks.

One provider is one folder beside this file and one line in `registry.py`. A provider may be one model that takes audio
and gives audio, a pipeline of three services, or the built-in local secretary; the conversation sees no difference.

The conversation decides about turns' consequences (stopping, watchdogs, what a tool may do); the provider decides what
is said. All audio is L16 little-endian mono 8,000 Hz. Everything runs on the node's event loop and must not block it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

FailureKind = Literal["auth", "rate_limited", "expired", "unreachable", "protocol", "refused"]
"""Why a provider cannot go on.

`auth`: the key is not accepted. `rate_limited`: too much of it. `expired`: the session's own time is over, a new one
goes on. `unreachable`: no connection, cut off, silent, or broken on its side. `protocol`: it said what we do not
understand. `refused`: it, or we, will not do this: model, address, arguments, money.
"""
COVER: Final = "platform-cover-"
"""How ids of utterances begin that only cover a wait: they answer nothing, and are no part of what was said."""
AT_ONCE: Final = frozenset({"expired", "unreachable"})
"""Kinds after which the same provider may well take a new session at once."""


@dataclass(frozen=True, slots=True)
class Place:
    """A destination as the provider may know it. Numbers stay outside: a model proposes names, the platform dials."""

    destination_uuid: str
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """Something the secretary can do, as a model is told of it. The platform judges every call of it again."""

    name: str
    description: str
    parameters: Mapping[str, object] = field(default_factory=dict, hash=False)
    """JSON Schema of an object."""


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the conversation so far: what was said and heard."""

    who: str
    """`caller` or `secretary`."""
    text: str


@dataclass(frozen=True, slots=True)
class CameBack:
    """The caller had been sent on to somebody, or had lost the secretary, and is here again."""

    destination_uuid: str
    """Empty where they had not been sent anywhere."""
    outcome: str
    """How it went, as of any transfer; `over`: they were there, and it came to its end; `cut_off`: nobody was."""


@dataclass(frozen=True, slots=True)
class Access:
    """How a provider is reached for one tenant: the tenant's own credential, or the installation's.

    Empty values mean the provider's defaults.
    """

    api_key: str = field(default="", repr=False)
    base_url: str = ""
    model: str = ""
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Further settings by name, such as Azure's deployment or ElevenLabs' agent."""
    guarded: bool = True
    """The tenant gave the address: no internal one is connected to (`tenants.egress`)."""

    def option(self, name: str, default: str = "") -> str:
        return next((value for given, value in self.options if given == name), default)


NO_ACCESS: Final = Access()
"""Of a provider that needs none: the local secretary."""


@dataclass(frozen=True, slots=True)
class Briefing:
    """All that a provider is told about a call before it begins."""

    call_uuid: str
    domain_uuid: str
    secretary_uuid: str
    secretary_name: str
    language: str
    """`en` or `pt-br`."""
    voice: str
    greeting: str
    prompt: str
    """The business in the tenant's own words; empty for none."""
    places: tuple[Place, ...] = ()
    caller_number: str = ""
    caller_name: str = ""
    instructions: str = ""
    """What a model is told to be and to do: the platform's rules, then the tenant's prompt. Empty: make your own."""
    tools: tuple[ToolSpec, ...] = ()
    history: tuple[Said, ...] = ()
    """What was said before this session: a provider that takes over in mid-call goes on from here."""
    came_back: CameBack | None = None
    """The caller is told so instead of the greeting, and asked what to do now: `greeting` has those words."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """Something the provider wants done: a name out of `Briefing.tools`. Arguments are untrusted."""

    tool_call_id: str
    name: str
    arguments: Mapping[str, object] = field(default_factory=dict)


class SpeechListener(Protocol):
    """The conversation's ear towards its provider."""

    def on_caller_text(self, text: str) -> None:
        """What the provider understood of the caller's last turn; empty when it understood nothing."""

    def on_caller_interim(self, text: str) -> None:
        """What the provider has understood of the turn under way, while the caller still speaks.

        Only from one that writes down what it hears as it hears it; it helps to tell when the caller has finished.
        """

    def on_voice(self, utterance_id: str, text: str, pcm: bytes, last: bool) -> None:
        """Voice to play. Parts of one utterance share its id and come in order; `text` is the part's words."""

    def on_tool(self, call: ToolCall) -> None:
        """Do this after what was said before it has been heard. Answered by `SpeechSession.tool_result`."""

    def on_thinking(self) -> None:
        """The first sign of the answer to the caller's last turn: a model's first token. For the latency by stage."""

    def on_speech_started(self) -> None:
        """The provider itself heard the caller begin; only from one whose `detects_turns` is true."""

    def on_speech_stopped(self) -> None:
        """The provider itself holds the caller's turn to be over, and answers it without `turn_ended`."""

    def on_language(self, language: str) -> None:
        """The caller speaks this language now: `en` or `pt-br`."""

    def on_usage(self, unit: str, quantity: float, model: str = "") -> None:
        """So much more was used that costs money; `unit` is one of `UsageUnit`.

        `model`: where it is another one than the provider's own, such as the one that writes down what it hears.
        """

    def on_failed(self, reason: str, kind: FailureKind = "protocol", retry_after_s: float | None = None) -> None:
        """The provider cannot go on with this call. The conversation moves to the next provider or to a human.

        `retry_after_s`: how long it asks to be left alone.
        """


class SpeechSession(Protocol):
    """One provider in one call."""

    @property
    def detects_turns(self) -> bool:
        """Whether it decides by itself when the caller's turn is over; the conversation may then leave it to it."""
        ...

    @property
    def verbatim(self) -> bool:
        """Whether `say` speaks exactly the words it is given. A model that only promises to does not."""
        ...

    @property
    def asides(self) -> bool:
        """Whether `say` with `keep=False` is said at any time and leaves no trace; else the platform says it."""
        ...

    async def open(self, listener: SpeechListener) -> None:
        """Connect, within a deadline of the provider's own. Raises `ProviderError`."""

    def hear(self, frame: bytes) -> None:
        """One caller frame of 20 ms, always, in order; a provider that detects turns by itself lives off these."""

    def turn_started(self) -> None:
        """The caller has begun to speak (decided by the platform's voice activity)."""

    def turn_ended(self, pcm: bytes) -> None:
        """The caller has finished. `pcm` is the turn's audio with 300 ms before its onset.

        Without `turn_started` before it, it is a turn that another provider heard and did not answer.
        """

    def say(self, text: str, *, keep: bool = True) -> None:
        """Speak the platform's own sentence: greeting, reprompt, farewell. Comes back through `on_voice`.

        `keep=False` leaves it out of the provider's memory of the conversation.
        """

    def interrupted(self, utterance_id: str, heard_text: str, heard_ms: int) -> None:
        """The caller cut this utterance off after `heard_ms`; what comes later of it will not be played."""

    def resumed(self, utterance_id: str) -> None:
        """It was no interruption (a cough, an "uh-huh"): the caller hears the rest of this utterance after all.

        Nothing is to be answered. What is answered all the same is not played; see `interrupted`.
        """

    def tool_result(self, tool_call_id: str, outcome: str, detail: str = "") -> None:
        """How a tool ended (`ok`, `not_allowed`, `unknown`, `failed`, …), so that the provider can go on."""

    def dtmf(self, digit: str) -> None: ...

    async def close(self) -> None:
        """Release everything, within 1 s. Idempotent."""


class ProviderError(Exception):
    """A provider could not be opened or broke. The message is for the log and the administrator, without secrets.

    `retryable`: the same provider may well take a new session at once; by default as its `kind` says.
    `retry_after_s`: it said itself how long to leave it alone.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: FailureKind = "protocol",
        retryable: bool | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind
        self.retryable = kind in AT_ONCE if retryable is None else retryable
        self.retry_after_s = retry_after_s


class PlatformVoice(Protocol):
    """The platform's own voice: what must be said exactly so, or at once, whichever provider has the call.

    `voice` is one of its own names; any other means the usual one of the language (`en`, `pt-br`).
    """

    def ready(self, text: str, voice: str, language: str) -> bytes | None:
        """L16 8 kHz of the text if it is there now."""
        ...

    async def render(self, text: str, voice: str, language: str) -> bytes:
        """The same, made if need be. Raises ProviderError."""
        ...

    async def prepare(self, texts: Iterable[str], voice: str, language: str) -> None:
        """Have these ready. Never raises."""


class PlatformEar(Protocol):
    """The platform's own ear for a few words."""

    async def meaning(self, pcm: bytes, language: str, choices: Mapping[str, tuple[str, ...]]) -> tuple[str, float]:
        """What was said in this turn (L16 8 kHz), and how sure: `yes`, `no`, `again`, one of `choices`, or nothing.

        `choices`: by name, the ways to say it. Raises ProviderError.
        """
        ...

    async def prepare(self, language: str, choices: Mapping[str, tuple[str, ...]]) -> None:
        """Have it ready, so that nobody waits for it. Raises ProviderError."""


class Providers(Protocol):
    """All providers of a node, by name. They share what is dear: models, worker processes, caches."""

    @property
    def voice(self) -> PlatformVoice | None:
        """For the platform's own sentences; None where there is none."""
        ...

    @property
    def ear(self) -> PlatformEar | None:
        """For a colleague's yes or no; None where there is none."""
        ...

    async def start(self) -> None:
        """Make ready what every call needs."""

    async def stop(self) -> None:
        """Release everything."""

    def session(self, name: str, briefing: Briefing, access: Access = NO_ACCESS) -> SpeechSession:
        """A session of the provider of this name. Raises ProviderError for a name that is not known."""
        ...

    async def prepare(self, name: str, briefing: Briefing, access: Access = NO_ACCESS) -> None:
        """Make ready what a call of this secretary would otherwise wait for. Raises ProviderError."""
