"""A conversation that only listens, and a call to open sessions with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from secretary.speech.contract import Access, Briefing, FailureKind, Place, Said, ToolCall, ToolSpec

SECRET = "sk-secret"
TRANSFER = ToolSpec(
    "transfer",
    "Put the caller through.",
    {"type": "object", "properties": {"destination": {"type": "string"}}, "required": ["destination"]},
)
BRIEFING = Briefing(
    call_uuid="call-1",
    domain_uuid="acme",
    secretary_uuid="ana",
    secretary_name="Ana",
    language="en",
    voice="",
    greeting="Acme, good morning.",
    prompt="We sell anvils.",
    places=(Place("u-sales", "Sales", ("the shop",)),),
    tools=(TRANSFER,),
)
HISTORY = (Said("caller", "Sales please."), Said("secretary", "Sales is busy. Anything else?"))
FRAME = (np.sin(np.arange(160) * 0.4) * 8_000).astype("<i2").tobytes()


def access(url: str, **options: str) -> Access:
    given = {name: options.pop(name) for name in ("model", "api_key") if name in options}
    return Access(
        api_key=given.get("api_key", SECRET),
        base_url=url,
        model=given.get("model", ""),
        options=tuple(options.items()),
        guarded=False,
    )


@dataclass
class Spoken:
    """One utterance as it came."""

    utterance_id: str
    parts: list[tuple[str, bytes]] = field(default_factory=list)
    over: bool = False

    @property
    def text(self) -> str:
        return " ".join(text for text, _pcm in self.parts if text)

    @property
    def pcm(self) -> bytes:
        return b"".join(pcm for _text, pcm in self.parts)

    @property
    def ms(self) -> int:
        return len(self.pcm) // 16


class Ear:
    """Keeps what a session tells, in order."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []
        self.utterances: dict[str, Spoken] = {}
        self._news = asyncio.Event()

    def _add(self, *event: Any) -> None:
        self.events.append(event)
        self._news.set()

    def on_caller_text(self, text: str) -> None:
        self._add("caller", text)

    def on_caller_interim(self, text: str) -> None:
        self._add("interim", text)

    def on_voice(self, utterance_id: str, text: str, pcm: bytes, last: bool) -> None:
        assert len(pcm) % 2 == 0
        spoken = self.utterances.setdefault(utterance_id, Spoken(utterance_id))
        assert not spoken.over or not pcm, "sound after the end of its utterance"
        spoken.parts.append((text, pcm))
        spoken.over = spoken.over or last
        self._add("voice", utterance_id, text, len(pcm), last)

    def on_tool(self, call: ToolCall) -> None:
        self._add("tool", call)

    def on_thinking(self) -> None:
        self._add("thinking")

    def on_speech_started(self) -> None:
        self._add("started")

    def on_speech_stopped(self) -> None:
        self._add("stopped")

    def on_language(self, language: str) -> None:
        self._add("language", language)

    def on_usage(self, unit: str, quantity: float, model: str = "") -> None:
        if model:
            self._add("usage_of", model, unit, quantity)
        else:
            self._add("usage", unit, quantity)

    def on_failed(self, reason: str, kind: FailureKind = "protocol", retry_after_s: float | None = None) -> None:
        assert SECRET not in reason
        self._add("failed", kind, reason)

    async def until(self, true: Callable[[], Any], timeout_s: float = 5.0) -> Any:
        async with asyncio.timeout(timeout_s):
            while not (found := true()):
                self._news.clear()
                await self._news.wait()
            return found

    def of(self, kind: str) -> list[tuple[Any, ...]]:
        return [event for event in self.events if event[0] == kind]

    def said(self) -> list[str]:
        return [spoken.text for spoken in self.utterances.values()]

    async def spoken(self, number: int = 1) -> Spoken:
        """The utterance of this number, when it is complete."""
        return await self.until(
            lambda: next((one for at, one in enumerate(self.utterances.values(), 1) if at == number and one.over), None)
        )

    async def tool(self, number: int = 1) -> ToolCall:
        return await self.until(lambda: len(found := self.of("tool")) >= number and found[number - 1][1])

    async def failure(self) -> tuple[str, str]:
        found = await self.until(lambda: self.of("failed"))
        return found[0][1], found[0][2]


async def speak(session: Any, frames: int = 30) -> None:
    """The caller speaks for so many frames, and the platform notices both ends."""
    for _ in range(10):
        session.hear(FRAME)
    session.turn_started()
    await asyncio.sleep(0)
    for _ in range(frames):
        session.hear(FRAME)
    session.turn_ended(FRAME * (frames + 10))


async def renewed(session: Any, times: int = 1) -> None:
    """Wait until the session has been renewed so often."""
    async with asyncio.timeout(5.0):
        while session.renewals < times:
            await asyncio.sleep(0.005)
