"""The realtime providers in a secretary's chain: over real connections, one goes on where another one broke off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from secretary.speech.chain import ChainSession
from secretary.speech.contract import NO_ACCESS, Access, Briefing, PlatformVoice, ProviderError, SpeechSession
from secretary.speech.deepgram_agent.provider import DeepgramAgentProvider
from secretary.speech.elevenlabs_agent.provider import ElevenLabsAgentProvider
from secretary.speech.gemini_live.provider import GeminiLiveProvider
from secretary.speech.openai_realtime.provider import OpenAIRealtimeProvider
from secretary.speech.steps import Step
from tests.peers.deepgram_agent import DeepgramPeer
from tests.peers.elevenlabs_agent import ElevenLabsPeer
from tests.peers.gemini_live import GeminiPeer
from tests.peers.gemini_live import Reply as GeminiReply
from tests.peers.openai_realtime import OpenAIPeer, Reply
from tests.secretary.speech.realtime.ear import BRIEFING, FRAME, Ear, access


class RealProviders:
    """The real ones, and no local secretary behind them."""

    voice: PlatformVoice | None = None

    def __init__(self) -> None:
        self.known: dict[str, Any] = {
            "openai-realtime": OpenAIRealtimeProvider(),
            "gemini-live": GeminiLiveProvider(),
            "elevenlabs-agent": ElevenLabsAgentProvider(),
            "deepgram-agent": DeepgramAgentProvider(),
        }

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def session(self, name: str, briefing: Briefing, access: Access = NO_ACCESS) -> SpeechSession:
        if name not in self.known:
            raise ProviderError("there is nobody else")
        session: SpeechSession = self.known[name].session(briefing, access)
        return session

    async def prepare(self, name: str, briefing: Briefing, access: Access = NO_ACCESS) -> None: ...


@pytest.fixture
async def openai() -> AsyncIterator[OpenAIPeer]:
    async with OpenAIPeer() as peer:
        yield peer


async def begun(openai: OpenAIPeer, second: Step) -> tuple[ChainSession, Ear]:
    """A call that OpenAI has, who has greeted and heard a first turn."""
    steps = (Step("openai-realtime", access(openai.url)), second)
    chain, ear = ChainSession(steps, BRIEFING, providers=RealProviders()), Ear()
    await chain.open(ear)
    await openai.until(lambda: openai.sessions)
    await asyncio.sleep(0.02)
    chain.say(BRIEFING.greeting)
    await ear.spoken()
    return chain, ear


async def turn(chain: ChainSession, frames: int = 40) -> None:
    chain.turn_started()
    await asyncio.sleep(0)
    for _ in range(frames):
        chain.hear(FRAME)
    chain.turn_ended(FRAME * frames)


async def test_gemini_answers_what_openai_could_not(openai: OpenAIPeer) -> None:
    """The connection breaks before the answer: the next one is told what was said, and hears the turn itself."""
    async with GeminiPeer() as gemini:
        chain, ear = await begun(openai, Step("gemini-live", access(gemini.url)))
        openai.replies = [Reply("Never heard.", delay_s=5)]
        gemini.replies = [GeminiReply("Gemini here.")]
        await turn(chain)
        await openai.until(lambda: openai.of("response.create")[1:])
        await openai.close(1011)
        await ear.until(lambda: "Gemini here." in ear.said())
        assert f"You: {BRIEFING.greeting}" in gemini.setups[0]["systemInstruction"]["parts"][0]["text"]
        assert len(gemini.heard) == 40 * 640
        assert not ear.of("failed")
        await chain.close()


async def test_an_agent_that_decides_about_turns_hears_the_turn_as_well(openai: OpenAIPeer) -> None:
    """It is played to it frame by frame, as if the caller spoke."""
    async with ElevenLabsPeer() as agent:
        given = access(agent.url, agent_id="a", connect="key")
        chain, ear = await begun(openai, Step("elevenlabs-agent", given))
        openai.replies = [Reply(status="failed", error={"type": "tokens", "code": "rate_limit_exceeded"})]
        await turn(chain)
        await agent.until(lambda: len(agent.heard) >= 40 * 160)
        assert agent.initiations[0]["conversation_config_override"]["agent"]["first_message"] == ""
        assert not ear.of("failed")
        await chain.close()


async def test_a_tool_outlives_its_provider(openai: OpenAIPeer) -> None:
    """Called by one, ended while the other has the call: which is told of it, and the caller is not left alone."""
    async with DeepgramPeer() as agent:
        chain, ear = await begun(openai, Step("deepgram-agent", access(agent.url)))
        openai.replies = [Reply("One moment.", tools=[("transfer", {"destination": "Sales"})])]
        await turn(chain)
        call = await ear.tool()
        await openai.close(1011)
        await agent.until(lambda: agent.settings)
        await asyncio.sleep(0.05)
        chain.tool_result(call.tool_call_id, "busy")
        said = await agent.until(lambda: agent.of("InjectAgentMessage"))
        assert said[0]["message"]
        await ear.until(lambda: said[0]["message"] in ear.said())
        await chain.close()
