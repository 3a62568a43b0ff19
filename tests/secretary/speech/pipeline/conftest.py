"""A pipeline against stand-ins on loopback, and a conversation that only listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from secretary.speech.contract import Access, Briefing, Place, ToolCall, ToolSpec
from secretary.speech.pipeline.provider import PipelineProvider
from secretary.speech.pipeline.session import PipelineSession
from tests.peers.openai_audio import SpeechPeer, TranscriptionPeer
from tests.peers.openai_chat import ChatPeer

TOOLS = (
    ToolSpec(
        "transfer",
        "Put the caller through.",
        {"type": "object", "properties": {"destination_uuid": {"type": "string"}}, "required": ["destination_uuid"]},
    ),
    ToolSpec("check_available", "Whether somebody is there.", {"type": "object", "properties": {}}),
    ToolSpec("business_info", "Look something up.", {"type": "object", "properties": {"topic": {"type": "string"}}}),
    ToolSpec("end_call", "Hang up."),
)
ACME = Briefing(
    call_uuid="call-1",
    domain_uuid="acme",
    secretary_uuid="ana",
    secretary_name="Ana",
    language="en",
    voice="",
    greeting="Acme, good morning.",
    prompt="",
    places=(Place("u-sales", "Sales"), Place("u-support", "Support")),
    instructions="You are Ana of Acme.",
    tools=TOOLS,
)
FRAME = b"\x10\x00" * 160
TURN = FRAME * 60
"""1.2 s."""


@dataclass
class Listener:
    """Keeps what the session says, each with the loop's time."""

    heard: list[tuple[str, object]] = field(default_factory=list)
    times: dict[str, float] = field(default_factory=dict)
    """Of the first of each kind since `forget`."""
    usage: dict[str, float] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    """By unit, what it was counted under."""
    sound: dict[str, bytearray] = field(default_factory=dict)
    on_words: Callable[[str], None] = lambda text: None
    retry_after_s: float | None = None
    answer_tools: Callable[[ToolCall], None] | None = None

    def add(self, kind: str, what: object) -> None:
        self.heard.append((kind, what))
        self.times.setdefault(kind, asyncio.get_running_loop().time())

    def on_caller_interim(self, text: str) -> None: ...

    def on_caller_text(self, text: str) -> None:
        self.add("caller", text)
        self.on_words(text)

    def on_voice(self, utterance_id: str, text: str, pcm: bytes, last: bool) -> None:
        assert len(pcm) % 2 == 0
        self.sound.setdefault(utterance_id, bytearray()).extend(pcm)
        self.add("voice", (utterance_id, text, len(pcm), last))

    def on_tool(self, call: ToolCall) -> None:
        self.add("tool", call)
        if self.answer_tools is not None:
            self.answer_tools(call)

    def on_thinking(self) -> None:
        self.add("thinking", None)

    def on_speech_started(self) -> None: ...

    def on_speech_stopped(self) -> None: ...

    def on_language(self, language: str) -> None:
        self.add("language", language)

    def on_usage(self, unit: str, quantity: float, model: str = "") -> None:
        self.usage[unit] = self.usage.get(unit, 0) + quantity
        self.models[unit] = model

    def on_failed(self, reason: str, kind: str = "protocol", retry_after_s: float | None = None) -> None:
        self.add("failed", (kind, reason))
        self.retry_after_s = retry_after_s

    def forget(self) -> None:
        self.heard.clear()
        self.times.clear()

    @property
    def kinds(self) -> list[str]:
        """In order, each run of a kind once."""
        kinds = [kind for kind, _ in self.heard]
        return [kind for n, kind in enumerate(kinds) if n == 0 or kinds[n - 1] != kind]

    @property
    def said(self) -> dict[str, str]:
        """The words of each utterance."""
        words: dict[str, str] = {}
        for kind, what in self.heard:
            if kind == "voice":
                words[what[0]] = f"{words.get(what[0], '')} {what[1]}".strip()  # type: ignore[index]
        return words

    def finished(self) -> list[str]:
        """Utterances that have had their last part."""
        return [what[0] for kind, what in self.heard if kind == "voice" and what[3]]  # type: ignore[index]

    def tools(self) -> list[ToolCall]:
        return [what for kind, what in self.heard if kind == "tool" and isinstance(what, ToolCall)]

    async def until(self, true: Callable[[], object], seconds: float = 5.0) -> None:
        """Wait until the condition holds."""
        async with asyncio.timeout(seconds):
            while not true():
                await asyncio.sleep(0.003)

    async def until_said(self, text: str) -> None:
        await self.until(lambda: any(text in words for words in self.said.values()))

    async def until_finished(self, count: int = 1) -> None:
        await self.until(lambda: len(self.finished()) >= count)


@dataclass
class Stage:
    """The three stand-ins, a node's provider and one call."""

    stt: TranscriptionPeer
    chat: ChatPeer
    speech: SpeechPeer
    provider: PipelineProvider
    listener: Listener
    session: PipelineSession | None = None

    def access(self, **options: str) -> Access:
        usual = {"stt_url": self.stt.url, "llm_url": self.chat.url, "tts_url": self.speech.url}
        keys = {"stt_key": "sk-stt", "llm_key": "sk-llm", "tts_key": "sk-tts"}
        return Access(options=tuple((usual | keys | options).items()), guarded=False)

    async def call(self, briefing: Briefing = ACME, **options: str) -> PipelineSession:
        self.session = self.provider.session(briefing, self.access(**options))
        await self.session.open(self.listener)
        return self.session

    def turn(self, pcm: bytes = TURN) -> None:
        """The caller speaks and has finished."""
        assert self.session is not None
        self.session.turn_started()
        self.session.turn_ended(pcm)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    provider = PipelineProvider(tmp_path)
    async with TranscriptionPeer() as stt, ChatPeer() as chat, SpeechPeer() as speech:
        stage = Stage(stt, chat, speech, provider, Listener())
        yield stage
        if stage.session is not None:
            await stage.session.close()
        await provider.close()
