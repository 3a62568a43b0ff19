"""The realtime providers in a real conversation, over real connections: greeted, understood, answered, interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from eslbridge import control as ctl
from secretary.conversation.recording import Disk
from secretary.conversation.session import Record, Session
from secretary.conversation.state import Rules
from secretary.speech.deepgram_agent.provider import DeepgramAgentProvider
from secretary.speech.elevenlabs_agent.provider import ElevenLabsAgentProvider
from secretary.speech.gemini_live.provider import GeminiLiveProvider
from secretary.speech.openai_realtime.provider import OpenAIRealtimeProvider
from tests.peers import deepgram_agent, elevenlabs_agent, gemini_live, openai_realtime
from tests.peers.server import Peer
from tests.secretary.conversation import doubles
from tests.secretary.speech.realtime.ear import BRIEFING, FRAME, access

GREETING = BRIEFING.greeting
ANSWER = "Sales is open until six."


@dataclass
class Kind:
    """A provider, who stands in for it, and how a turn of the caller comes about there."""

    provider: Any
    peer: type[Peer]
    options: dict[str, str]
    turn: Callable[[Any, str, str, float], Awaitable[None]]
    """Peer, what the caller says, the answer, and the pause between two pieces of its sound."""


async def openai_turn(peer: openai_realtime.OpenAIPeer, said: str, answer: str, chunk_s: float) -> None:
    peer.caller_says, peer.replies = [said], [openai_realtime.Reply(answer, chunk_s=chunk_s)]


async def openai_vad_turn(peer: openai_realtime.OpenAIPeer, said: str, answer: str, chunk_s: float) -> None:
    await openai_turn(peer, said, answer, chunk_s)
    await peer.caller_turn()


async def gemini_turn(peer: gemini_live.GeminiPeer, said: str, answer: str, chunk_s: float) -> None:
    peer.caller_says, peer.replies = [said], [gemini_live.Reply(answer, chunk_s=chunk_s)]


async def elevenlabs_turn(peer: elevenlabs_agent.ElevenLabsPeer, said: str, answer: str, chunk_s: float) -> None:
    await peer.turn(said, elevenlabs_agent.Reply(answer, chunk_s=chunk_s))


async def deepgram_turn(peer: deepgram_agent.DeepgramPeer, said: str, answer: str, chunk_s: float) -> None:
    await peer.turn(said, deepgram_agent.Reply(answer, chunk_s=chunk_s))


KINDS = {
    "openai": Kind(OpenAIRealtimeProvider, openai_realtime.OpenAIPeer, {}, openai_turn),
    "openai-vad": Kind(OpenAIRealtimeProvider, openai_realtime.OpenAIPeer, {"turns": "server_vad"}, openai_vad_turn),
    "gemini": Kind(GeminiLiveProvider, gemini_live.GeminiPeer, {}, gemini_turn),
    "elevenlabs": Kind(
        ElevenLabsAgentProvider,
        elevenlabs_agent.ElevenLabsPeer,
        {"agent_id": "a", "connect": "key"},
        elevenlabs_turn,
    ),
    "deepgram": Kind(DeepgramAgentProvider, deepgram_agent.DeepgramPeer, {}, deepgram_turn),
}


class Call:
    """A conversation with doubles of telephone and office, and a real provider."""

    def __init__(self, kind: Kind, peer: Any, session: Session, leg: doubles.Leg, activity: doubles.Activity) -> None:
        self.kind, self.peer, self.session, self.leg, self.activity = kind, peer, session, leg, activity
        self.switch = doubles.Switch()
        self.task: asyncio.Task[Record]

    async def until(self, true: Callable[[], Any]) -> None:
        async with asyncio.timeout(5):
            while not true():
                await asyncio.sleep(0.005)

    def pass_time(self, ms: int) -> None:
        self.session._began -= ms / 1000

    def frames(self, count: int, frame: bytes = FRAME) -> None:
        assert self.leg.listener is not None
        for _ in range(count):
            self.leg.listener.on_frame(frame)

    async def speak(self, said: str, answer: str = ANSWER, *, chunk_s: float = 0.0) -> None:
        """The caller speaks for more than a second, then falls silent; both ears notice."""
        self.frames(8)
        for _ in range(6):
            self.activity.judge(0.9)
        for _ in range(4):
            self.pass_time(300)
            self.frames(15)
            self.activity.judge(0.9)
            await asyncio.sleep(0)
        turn = asyncio.create_task(self.kind.turn(self.peer, said, answer, chunk_s))
        await asyncio.sleep(0.01)
        for _ in range(6):
            self.pass_time(250)
            self.frames(12, bytes(len(FRAME)))
            self.activity.judge(0.01)
            await asyncio.sleep(0)
        await turn

    async def answered(self, *, ms: int) -> None:
        """All of an utterance has come and been heard."""
        await self.until(lambda: self.leg.queued_ms >= ms)
        self.leg.hear_all()

    def lines(self) -> list[tuple[str, str, bool]]:
        return [(line.who, line.text, line.interrupted) for line in self.session.record.lines]

    async def hung_up(self) -> Record:
        self.switch.tell(ctl.HungUp("NORMAL_CLEARING"))
        async with asyncio.timeout(5):
            return await self.task


@asynccontextmanager
async def calling(kind: Kind, tmp_path: Path) -> AsyncIterator[Call]:
    async with kind.peer() as peer:
        provider = kind.provider().session(BRIEFING, access(peer.url, **kind.options))
        leg, office, activity, disk = doubles.Leg(), doubles.Office(), doubles.Activity(), Disk()
        switch = doubles.Switch()
        session = Session(
            call=switch,
            provider=provider,
            rules=Rules(greeting=GREETING),
            voice_activity=cast(Any, activity),
            office=office,
            disk=disk,
            message_path=lambda: tmp_path / "message.wav",
        )
        await provider.open(session)
        call = Call(kind, peer, session, leg, activity)
        call.switch = switch
        call.task = asyncio.create_task(session.run(leg))
        try:
            yield call
        finally:
            call.task.cancel()
            await asyncio.gather(call.task, return_exceptions=True)
            await provider.close()
            disk.close()


@pytest.fixture(params=KINDS)
async def call(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Call]:
    monkeypatch.setattr("secretary.speech.elevenlabs_agent.session.PAUSE_S", 0.1)
    async with calling(KINDS[request.param], tmp_path) as call:
        yield call


async def test_a_conversation(call: Call) -> None:
    """Greeting, question, answer: each is a line of the record, in the order of speaking, whole."""
    await call.answered(ms=len(GREETING) * 60)
    await call.until(lambda: call.lines() == [("secretary", GREETING, False)])
    await call.speak("How long is Sales open?")
    await call.answered(ms=len(ANSWER) * 60)
    await call.until(lambda: len(call.lines()) == 3)
    record = await call.hung_up()
    assert record.outcome == "caller_hung_up"
    assert [(line.who, line.text, line.interrupted) for line in record.lines] == [
        ("secretary", GREETING, False),
        ("caller", "How long is Sales open?", False),
        ("secretary", ANSWER, False),
    ]


async def test_an_interruption(call: Call) -> None:
    """The caller speaks into a long answer: it stops, the record ends where it was heard, the next one is whole."""
    await call.answered(ms=len(GREETING) * 60)
    await call.until(lambda: call.lines())
    long = "We sell anvils of every size, from the smallest to the largest, and hammers of all kinds."
    await call.speak("What do you sell?", long)
    await call.until(lambda: call.leg.queued_ms >= 2_000)
    call.leg.heard_ms += 1_500
    call.leg.queued_ms -= 1_500
    await call.speak("Stop, please.", ANSWER)
    await call.until(lambda: call.leg.stops >= 1)
    await call.until(lambda: call.leg.queued_ms >= len(ANSWER) * 60)
    call.leg.hear_all()
    await call.until(lambda: ("secretary", ANSWER, False) in call.lines())
    cut = [text for who, text, interrupted in call.lines() if who == "secretary" and interrupted]
    assert len(cut) == 1
    assert long.startswith(cut[0]) and 5 < len(cut[0]) < 50
    assert [text for who, text, _ in call.lines() if who == "caller"] == ["What do you sell?", "Stop, please."]
    await call.hung_up()
