"""Providers that do what a test says, and a conversation that writes down what reaches the caller, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from secretary.speech.breaker import Breaker
from secretary.speech.chain import ChainSession
from secretary.speech.contract import (
    NO_ACCESS,
    Access,
    Briefing,
    FailureKind,
    PlatformVoice,
    ProviderError,
    SpeechListener,
    ToolCall,
)
from secretary.speech.metered import Metered
from secretary.speech.steps import Step

TURN = bytes(range(256)) * 50
BRIEFING = Briefing(
    call_uuid="c1",
    domain_uuid="d1",
    secretary_uuid="s1",
    secretary_name="Clara",
    language="en",
    voice="",
    greeting="Good morning.",
    prompt="",
    instructions="You are Clara.",
)
ACME = Step("acme", Access(api_key="key of acme"), "installation")
OTHER = Step("other", Access(api_key="key of other"), "installation")


class FakeSession:
    """One session of a provider. `answer_s` after a turn it says `answer`; None: it never does."""

    def __init__(self, provider: FakeProvider, briefing: Briefing, access: Access) -> None:
        self.provider, self.briefing, self.access = provider, briefing, access
        self.detects_turns, self.verbatim = provider.detects_turns, provider.verbatim
        self.asides = provider.asides
        self.turns: list[bytes] = []
        self.heard = b""
        self.said: list[str] = []
        self.results: list[tuple[str, str]] = []
        self.cut: list[tuple[str, str]] = []
        self.went_on: list[str] = []
        self.keys = ""
        self.closed = False
        self.serial = 0
        self.ear: SpeechListener | None = None

    async def open(self, listener: SpeechListener) -> None:
        await asyncio.sleep(self.provider.open_s)
        if self.provider.refuses is not None:
            raise self.provider.refuses
        self.ear = listener

    def hear(self, frame: bytes) -> None:
        self.heard += frame

    def turn_started(self) -> None: ...

    def turn_ended(self, pcm: bytes) -> None:
        self.turns.append(pcm)
        if self.provider.raises:
            raise RuntimeError("a bug")
        if self.provider.answer_s is not None:
            asyncio.get_running_loop().call_later(self.provider.answer_s, self.speak, self.provider.answer)

    def say(self, text: str, *, keep: bool = True) -> None:
        self.said.append(text)
        if self.provider.say_s is not None:
            asyncio.get_running_loop().call_later(self.provider.say_s, self.speak, text)

    def speak(self, text: str, last: bool = True) -> str:
        if self.ear is None or self.closed:
            return ""
        self.serial += 1
        self.ear.on_voice(f"u{self.serial}", text, bytes(3200), last)
        return f"u{self.serial}"

    def interrupted(self, utterance_id: str, heard_text: str, heard_ms: int) -> None:
        self.cut.append((utterance_id, heard_text))

    def resumed(self, utterance_id: str) -> None:
        self.went_on.append(utterance_id)

    def tool_result(self, tool_call_id: str, outcome: str, detail: str = "") -> None:
        self.results.append((tool_call_id, outcome))

    def dtmf(self, digit: str) -> None:
        self.keys += digit

    async def close(self) -> None:
        self.closed = True


@dataclass
class FakeProvider:
    name: str
    open_s: float = 0.05
    answer_s: float | None = 0.4
    say_s: float | None = 0.1
    refuses: Exception | None = None
    raises: bool = False
    detects_turns: bool = False
    verbatim: bool = True
    asides: bool = True
    sessions: list[FakeSession] = field(default_factory=list)

    @property
    def answer(self) -> str:
        return f"This is {self.name}."

    @property
    def now(self) -> FakeSession:
        return self.sessions[-1]


class FakeVoice:
    """The platform's voice; what is not ready takes 100 ms."""

    def __init__(self, *, ready: bool = True) -> None:
        self._ready = ready

    def ready(self, text: str, voice: str, language: str) -> bytes | None:
        return bytes(320) if self._ready else None

    async def render(self, text: str, voice: str, language: str) -> bytes:
        await asyncio.sleep(0.1)
        return bytes(320)

    async def prepare(self, texts: Iterable[str], voice: str, language: str) -> None: ...


class FakeProviders:
    """Implements `Providers` with the doubles."""

    def __init__(self, *known: FakeProvider, voice: PlatformVoice | None = None) -> None:
        self._known = {one.name: one for one in known}
        self.voice: PlatformVoice | None = voice or FakeVoice()
        self.ear = None

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def session(self, name: str, briefing: Briefing, access: Access = NO_ACCESS) -> FakeSession:
        if name not in self._known:
            raise ProviderError(f"there is no provider {name}")
        session = FakeSession(self._known[name], briefing, access)
        self._known[name].sessions.append(session)
        return session

    async def prepare(self, name: str, briefing: Briefing, access: Access = NO_ACCESS) -> None: ...


class Conversation:
    """What reaches the conversation, each with its moment. Implements `SpeechListener`."""

    def __init__(self) -> None:
        self.voices: list[tuple[float, str, str]] = []
        """When, the utterance, its words; of whole and of begun ones."""
        self.ended: list[str] = []
        self.texts: list[str] = []
        self.tools: list[ToolCall] = []
        self.failures: list[tuple[float, str]] = []
        self.usage: list[tuple[str, float]] = []

    def on_caller_interim(self, text: str) -> None: ...

    def on_caller_text(self, text: str) -> None:
        self.texts.append(text)

    def on_voice(self, utterance_id: str, text: str, pcm: bytes, last: bool) -> None:
        if pcm:
            self.voices.append((asyncio.get_running_loop().time(), utterance_id, text))
        if last:
            self.ended.append(utterance_id)

    def on_tool(self, call: ToolCall) -> None:
        self.tools.append(call)

    def on_thinking(self) -> None: ...

    def on_speech_started(self) -> None: ...

    def on_speech_stopped(self) -> None: ...

    def on_language(self, language: str) -> None: ...

    def on_usage(self, unit: str, quantity: float, model: str = "") -> None:
        self.usage.append((unit, quantity))

    def on_failed(self, reason: str, kind: FailureKind = "protocol", retry_after_s: float | None = None) -> None:
        self.failures.append((asyncio.get_running_loop().time(), reason))

    @property
    def words(self) -> list[str]:
        return [text for _, _, text in self.voices]

    def first_voice_after(self, moment: float) -> float:
        return min((at for at, _, _ in self.voices if at >= moment), default=float("inf")) - moment


class Scene:
    """A call with a chain. `notes` is its timeline."""

    def __init__(self, *providers: FakeProvider, steps: tuple[Step, ...] = (ACME, OTHER), **more: Any) -> None:
        self.acme, self.other, self.local = providers
        self.caller = Conversation()
        self.notes: list[tuple[str, Mapping[str, object]]] = []
        loop = asyncio.get_running_loop()
        self.breaker = more.pop("breaker", None) or Breaker(loop.time)
        self.chain = ChainSession(
            steps,
            more.pop("briefing", BRIEFING),
            providers=FakeProviders(*providers, voice=more.pop("voice", None)),
            breaker=self.breaker,
            note=lambda kind, detail: self.notes.append((kind, detail)),
            metered=more.pop("metered", None) or Metered(now=loop.time),
            **more,
        )

    async def begin(self, *, greet: bool = True) -> None:
        await self.chain.open(self.caller)
        if greet:
            self.chain.say("Good morning.")
            await asyncio.sleep(2.0)

    def turn(self, pcm: bytes = TURN) -> float:
        self.chain.turn_started()
        self.chain.turn_ended(pcm)
        return asyncio.get_running_loop().time()

    def fail(self, kind: FailureKind = "unreachable", reason: str = "the socket closed") -> float:
        ear = self.acme.now.ear
        assert ear is not None
        ear.on_failed(reason, kind)
        return asyncio.get_running_loop().time()

    def noted(self, kind: str) -> list[Mapping[str, object]]:
        return [detail for noted, detail in self.notes if noted == kind]


def three(**acme: Any) -> tuple[FakeProvider, FakeProvider, FakeProvider]:
    return (
        FakeProvider("acme", **acme),
        FakeProvider("other"),
        FakeProvider("local", open_s=0.0, answer_s=0.1, say_s=0.01),
    )
