"""The chain over real sockets: two vendors that break in every way, and the local secretary behind them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from secretary.speech.breaker import Breaker
from secretary.speech.chain import ChainSession
from secretary.speech.contract import NO_ACCESS, Access, Briefing
from secretary.speech.gemini_live.provider import GeminiLiveProvider
from secretary.speech.openai_realtime.provider import OpenAIRealtimeProvider
from secretary.speech.steps import Step
from tests.peers.openai_realtime import OpenAIPeer, Reply
from tests.secretary.speech.chain.cast import BRIEFING, Conversation, FakeProvider, FakeSession, FakeVoice

TURN = bytes(16_000)


class Providers:
    """The real realtime providers, and a double of the local one."""

    voice = FakeVoice()
    ear = None

    def __init__(self) -> None:
        self.local = FakeProvider("local", open_s=0.0, answer_s=0.05, say_s=0.01)
        self.openai, self.gemini = OpenAIRealtimeProvider(), GeminiLiveProvider()

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def prepare(self, name: str, briefing: Briefing, access: Access = NO_ACCESS) -> None: ...

    def session(self, name: str, briefing: Briefing, access: Access = NO_ACCESS) -> FakeSession:
        if name == "openai-realtime":
            return self.openai.session(briefing, access)  # type: ignore[return-value]
        self.local.sessions.append(FakeSession(self.local, briefing, access))
        return self.local.now


@pytest.fixture
async def peers() -> AsyncIterator[tuple[OpenAIPeer, OpenAIPeer]]:
    async with OpenAIPeer() as first, OpenAIPeer() as second:
        yield first, second


def chain_of(*peers: OpenAIPeer) -> tuple[ChainSession, Conversation, Providers]:
    providers = Providers()
    steps = tuple(
        Step("openai-realtime", Access(api_key=f"sk-{n}", base_url=peer.url, guarded=False), f"key-{n}")
        for n, peer in enumerate(peers)
    )
    briefing = replace(BRIEFING, greeting="Good morning.")
    breaker = Breaker(asyncio.get_running_loop().time)
    return ChainSession(steps, briefing, providers=providers, breaker=breaker), Conversation(), providers


async def until(condition: object, seconds: float = 3.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("way", ["closed", "error", "gone"])
async def test_cut_off_in_mid_call(peers: tuple[OpenAIPeer, OpenAIPeer], way: str) -> None:
    """The second vendor has what was said, hears the turn and answers it; the caller waits less than 2 s."""
    first, second = peers
    first.caller_says = ["Hello."]
    first.replies = [Reply("Never.", delay_s=60.0)]
    second.replies = [Reply("We are open until six.")]
    chain, caller, _providers = chain_of(first, second)
    await chain.open(caller)
    chain.say("Good morning.")
    await until(lambda: caller.ended)
    chain.turn_started()
    chain.turn_ended(TURN)
    await asyncio.sleep(0.05)
    failed = asyncio.get_running_loop().time()
    if way == "closed":
        await first.connections[-1].close(1011)
    elif way == "error":
        await first.error("session_expired", kind="server_error")
        await first.connections[-1].close(1001)
    else:
        first.connections[-1].transport.abort()
    # A vendor whose session broke may try once to have a new one by itself before it gives the call up.
    first.refuse_with = 503
    await until(lambda: any("open" in words for words in caller.words))
    assert caller.first_voice_after(failed) < 2.0
    assert any("Good morning" in str(message) for message in second.received)
    assert len(second.heard) >= len(TURN) // 2
    await chain.close()


async def test_neither_takes_the_call(peers: tuple[OpenAIPeer, OpenAIPeer]) -> None:
    """A key that is refused and a vendor that says nothing: the greeting is in time, the local secretary answers."""
    first, second = peers
    first.refuse_with = 401
    second.silent = True
    chain, caller, providers = chain_of(first, second)
    began = asyncio.get_running_loop().time()
    await chain.open(caller)
    chain.say("Good morning.")
    await until(lambda: caller.words == ["Good morning."])
    assert asyncio.get_running_loop().time() - began < 1.2
    chain.turn_ended(TURN)
    await until(lambda: caller.words[-1] == "This is local.")
    assert providers.local.now.turns == [TURN]
    await chain.close()
