"""Calls that outlast their provider's sessions (60, 30, 15 minutes): whole hours of talk in virtual time.

The servers are lines in memory, because sockets know no virtual time: what goes over them is held against the vendors'
types by the other tests here.
"""

from __future__ import annotations

import asyncio
import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from secretary.scenarios import virtual_time
from secretary.speech.deepgram_agent.session import DeepgramSession
from secretary.speech.elevenlabs_agent.session import ElevenLabsSession
from secretary.speech.gemini_live.session import GeminiSession
from secretary.speech.openai_realtime.session import OpenAISession
from secretary.speech.realtime import lasting
from secretary.speech.realtime.session import RealtimeSession
from tests.secretary.speech.realtime.ear import BRIEFING, FRAME, Ear, access, speak

TURN_EVERY_S = 47.0


class Line:
    """One connection to a server that keeps a session for so long, and not a second longer."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.began = asyncio.get_running_loop().time()
        self.ended = 0.0
        self.told: list[Any] = []
        self._news: asyncio.Queue[bytes | str | None] = asyncio.Queue()
        self._closing: Close | None = None
        self.transport = SimpleNamespace(abort=lambda: None)
        asyncio.get_running_loop().call_later(vendor.limit_s, self.cut)
        vendor.opened(self)

    def say(self, message: Any) -> None:
        raw = message if isinstance(message, bytes) else json.dumps(message)
        self._news.put_nowait(raw if self.vendor.texts else raw if isinstance(raw, bytes) else raw.encode())

    def cut(self) -> None:
        """The session's time is over: nothing goes on after it."""
        if not self.ended:
            self.vendor.cut += 1
            self._closing = Close(*self.vendor.closing)
            self._end()

    def _end(self) -> None:
        self.ended = self.ended or asyncio.get_running_loop().time()
        self._news.put_nowait(None)

    async def send(self, message: bytes | str, text: bool | None = None) -> None:
        if isinstance(message, bytes) and self.vendor.texts:
            return  # sound
        self.vendor.take(self, json.loads(message))

    async def recv(self, decode: bool | None = None) -> bytes | str:
        news = await self._news.get()
        if news is None:
            raise ConnectionClosedError(self._closing, None)
        return news

    async def close(self) -> None:
        self._end()


class Vendor:
    """A vendor in memory. `turns` counts what the caller was answered."""

    limit_s = 0.0
    closing = (1000, "")
    texts = False
    """It tells text and sound apart."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.turns = 0
        self.cut = 0

    def session(self) -> RealtimeSession:
        raise NotImplementedError

    def opened(self, line: Line) -> None: ...

    def take(self, line: Line, message: Any) -> None:
        raise NotImplementedError

    def context(self, line: Line) -> str:
        """What a session was told of the conversation before it."""
        return json.dumps(line.told)

    async def turn(self, session: RealtimeSession) -> None:
        await speak(session, frames=20)


class OpenAI(Vendor):
    limit_s, closing = 3_600.0, (1001, "session expired")

    def session(self) -> RealtimeSession:
        return OpenAISession(BRIEFING, access("ws://memory"))

    def opened(self, line: Line) -> None:
        expires = int(time.time() + self.limit_s)
        line.say({"type": "session.created", "session": {"id": "s", "expires_at": expires}})

    def take(self, line: Line, message: Any) -> None:
        match message["type"]:
            case "session.update":
                line.say({"type": "session.updated", "session": {"expires_at": int(time.time() + self.limit_s)}})
            case "conversation.item.create":
                line.told.append(message["item"])
            case "input_audio_buffer.commit":
                self.turns += 1
                line.say({"type": "input_audio_buffer.committed", "item_id": f"c{self.turns}"})
                kind, words = "conversation.item.input_audio_transcription.completed", f"Question {self.turns}."
                line.say({"type": kind, "item_id": f"c{self.turns}", "transcript": words, "usage": {}})
            case "response.create":
                name, item = f"r{self.turns}", f"i{self.turns}"
                sound = b64encode(b"\x90\x10" * 4_000).decode()
                line.say({"type": "response.created", "response": {"id": name}})
                about = {"response_id": name, "item_id": item}
                words = f"Answer {self.turns}."
                line.say({"type": "response.output_audio_transcript.delta", "delta": words, **about})
                line.say({"type": "response.output_audio.delta", "delta": sound, **about})
                line.say({"type": "response.done", "response": {"id": name, "status": "completed"}})


class Azure(OpenAI):
    """The same, and it says that half an hour is all."""

    limit_s = 1_800.0


class Gemini(Vendor):
    """15 minutes, of which the last is announced. What it may be resumed by it does not keep."""

    limit_s, closing = 900.0, (1011, "deadline expired")

    def session(self) -> RealtimeSession:
        return GeminiSession(BRIEFING, access("ws://memory"))

    def take(self, line: Line, message: Any) -> None:
        if "setup" in message:
            line.told.append(message["setup"]["systemInstruction"])
            line.say({"setupComplete": {}})
            away = {"goAway": {"timeLeft": "60s"}}
            asyncio.get_running_loop().call_later(self.limit_s - 60, line.say, away)
        elif "activityEnd" in message.get("realtimeInput", {}):
            self.turns += 1
            blob = {"mimeType": "audio/pcm;rate=24000", "data": b64encode(bytes(48_000)).decode()}
            line.say({"serverContent": {"inputTranscription": {"text": f"Question {self.turns}."}}})
            line.say({"serverContent": {"outputTranscription": {"text": f"Answer {self.turns}."}}})
            line.say({"serverContent": {"modelTurn": {"parts": [{"inlineData": blob}]}}})
            line.say({"serverContent": {"generationComplete": True}})
            line.say({"serverContent": {"turnComplete": True}})


class ElevenLabs(Vendor):
    """An agent that was made to last half an hour."""

    limit_s, closing = 1_800.0, (1000, "")

    def session(self) -> RealtimeSession:
        options = {"agent_id": "a", "connect": "key", "session_s": str(self.limit_s)}
        return ElevenLabsSession(BRIEFING, access("ws://memory", **options))

    def take(self, line: Line, message: Any) -> None:
        if message.get("type") == "conversation_initiation_client_data":
            line.told.append(message["conversation_config_override"]["agent"]["prompt"])
            formats = {"user_input_audio_format": "ulaw_8000", "agent_output_audio_format": "ulaw_8000"}
            kind = "conversation_initiation_metadata"
            line.say({"type": kind, f"{kind}_event": {"conversation_id": "c", **formats}})

    async def turn(self, session: RealtimeSession) -> None:
        self.turns += 1
        line, at = self.lines[-1], self.turns * 10
        words = {"user_transcript": f"Question {self.turns}.", "event_id": at}
        line.say({"type": "user_transcript", "user_transcription_event": words})
        response = {"agent_response": f"Answer {self.turns}.", "event_id": at + 1}
        line.say({"type": "agent_response", "agent_response_event": response})
        sound = {"audio_base_64": b64encode(bytes(8_000)).decode(), "event_id": at + 2}
        line.say({"type": "audio", "audio_event": sound})


class Unannounced(ElevenLabs):
    """One of which nobody has said how long it lasts: it is followed when it ends."""

    limit_s = 3_600.0

    def session(self) -> RealtimeSession:
        return ElevenLabsSession(BRIEFING, access("ws://memory", agent_id="a", connect="key"))


class Deepgram(Vendor):
    limit_s, closing, texts = 7_200.0, (1000, ""), True

    def session(self) -> RealtimeSession:
        return DeepgramSession(BRIEFING, access("ws://memory"))

    def take(self, line: Line, message: Any) -> None:
        if message["type"] == "Settings":
            line.told.append(message["agent"].get("context", {}))
            line.say({"type": "SettingsApplied"})

    async def turn(self, session: RealtimeSession) -> None:
        self.turns += 1
        line = self.lines[-1]
        line.say({"type": "ConversationText", "role": "user", "content": f"Question {self.turns}."})
        line.say({"type": "ConversationText", "role": "assistant", "content": f"Answer {self.turns}."})
        line.say(bytes(8_000))
        line.say({"type": "AgentAudioDone"})


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Vendor], None]]:
    def to(vendor: Vendor) -> None:
        async def connect(url: str, **more: object) -> Line:
            line = Line(vendor)
            vendor.lines.append(line)
            return line

        monkeypatch.setattr(lasting, "connect_websocket", connect)

    yield to


@pytest.mark.parametrize(
    ("kind", "hours", "cut"),
    [(OpenAI, 3, 0), (Azure, 3, 0), (Gemini, 2, 0), (ElevenLabs, 2, 0), (Unannounced, 5, 5), (Deepgram, 5, 0)],
)
def test_a_call_outlasts_its_sessions(
    lines: Callable[[Vendor], None], kind: type[Vendor], hours: int, cut: int
) -> None:
    """No turn is lost, every session knows what was said before, and none is cut off that could be followed in time."""
    vendor = kind()
    lines(vendor)

    async def call() -> Ear:
        ear, session = Ear(), vendor.session()
        await session.open(ear)
        while asyncio.get_running_loop().time() < hours * 3_600:
            await vendor.turn(session)
            for _ in range(50):
                session.hear(FRAME)
            await asyncio.sleep(TURN_EVERY_S)
        assert not ear.of("failed")
        await session.close()
        return ear

    ear = virtual_time.run(call())
    asked = [f"Question {n}." for n in range(1, vendor.turns + 1)]
    assert [words for _, words in ear.of("caller")] == asked and len(ear.utterances) == vendor.turns > 100
    assert vendor.cut == cut and len(vendor.lines) >= hours * 3_600 / vendor.limit_s
    for before, line in zip(vendor.lines, vendor.lines[1:], strict=False):
        assert line.began - before.began <= vendor.limit_s
        known = vendor.context(line)
        last = [n for n in range(1, vendor.turns + 1) if n * TURN_EVERY_S < line.began - 1]
        assert f"Question {last[-1]}." in known and f"Answer {last[-1]}." in known
