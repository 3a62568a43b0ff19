"""OpenAI Realtime as a server that speaks it, each message held against OpenAI's own types."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from secretary.speech.openai_realtime.provider import OpenAIRealtimeProvider
from secretary.speech.openai_realtime.session import OpenAISession
from tests.peers.openai_realtime import OpenAIPeer
from tests.secretary.speech.realtime.ear import BRIEFING, HISTORY, Ear, access

Open = Callable[..., Awaitable[tuple[OpenAISession, Ear]]]


@pytest.fixture
async def peer() -> AsyncIterator[OpenAIPeer]:
    async with OpenAIPeer() as peer:
        yield peer


@pytest.fixture
async def make(peer: OpenAIPeer) -> AsyncIterator[Open]:
    sessions: list[OpenAISession] = []

    async def make(**options: str) -> tuple[OpenAISession, Ear]:
        history = HISTORY if options.pop("history", "") else ()
        briefing = replace(
            BRIEFING, history=history, **({"language": options.pop("lang")} if "lang" in options else {})
        )
        session = OpenAIRealtimeProvider().session(briefing, access(peer.url, **options))
        sessions.append(session)
        ear = Ear()
        await session.open(ear)
        return session, ear

    yield make
    for session in sessions:
        await session.close()
