"""What the settings of an agent lack is said where its credential is tried, before a caller finds out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from secretary.speech import trying
from secretary.speech.contract import Access
from secretary.speech.elevenlabs_agent.advice import advice
from secretary.tools.names import USUAL
from tests.peers import elevenlabs_agent
from tests.peers.elevenlabs_agent import ElevenLabsPeer, agent_of, client_tool
from tests.secretary.speech.realtime.ear import SECRET, access


@pytest.fixture
async def peer() -> AsyncIterator[ElevenLabsPeer]:
    async with ElevenLabsPeer() as peer:
        yield peer


def aimed(peer: ElevenLabsPeer, **options: str) -> Access:
    return access(peer.url, agent_id="a", **options)


async def test_an_agent_that_has_all(peer: ElevenLabsPeer) -> None:
    """Nothing is said of one that is as it should be."""
    peer.agent = agent_of(*USUAL)
    assert await advice(aimed(peer)) == ""


async def test_what_is_missing_is_named(peer: ElevenLabsPeer) -> None:
    """Tools, overrides, audio: each in a sentence."""
    peer.agent = agent_of("take_message", allows=False, audio="pcm_16000")
    said = await advice(aimed(peer, overrides="prompt,voice"))
    assert "transfer" in said and "end_call" in said and "take_message" not in said
    assert "overrides: prompt, voice." in said and "language" not in said and "8000 Hz" in said


async def test_tools_by_their_ids(peer: ElevenLabsPeer) -> None:
    """Newer agents only name the account's tools; one that does not wait for its response is as good as none."""
    config = {"access_info": {"is_creator": True, "creator_name": "A", "creator_email": "a@b.example", "role": "admin"}}
    about = config | {"usage_stats": {"total_calls": 0, "avg_latency_secs": 0.0}}
    peer.agent = agent_of()
    peer.agent["conversation_config"]["agent"]["prompt"] = {"tool_ids": [f"t-{name}" for name in USUAL]}
    peer.tools = [
        about | {"id": f"t-{name}", "tool_config": client_tool(name, waits=name != "transfer")}
        for name in (*USUAL, "another")
    ]
    said = await advice(aimed(peer))
    assert "do not wait" in said and "transfer" in said and "lacks" not in said


async def test_settings_that_cannot_be_read(peer: ElevenLabsPeer) -> None:
    """A key that may talk and not look: people are told to look themselves, and nothing of the answer is repeated."""
    peer.refuse_with = 401
    said = await advice(aimed(peer))
    assert "could not be read" in said and "auth" in said and SECRET not in said


@pytest.mark.parametrize("shown", [[], {"conversation_config": {"agent": {"prompt": {"tool_ids": [{}]}}}}, "secret"])
async def test_settings_that_make_no_sense(
    peer: ElevenLabsPeer, monkeypatch: pytest.MonkeyPatch, shown: object
) -> None:
    """Whatever comes instead of settings: people are told to look themselves, and none of it is repeated."""
    monkeypatch.setattr(elevenlabs_agent, "fits", lambda *_: None)
    monkeypatch.setattr(peer, "agent", shown)
    said = await advice(aimed(peer))
    assert "could not be read" in said and "secret" not in said


async def test_trying_tells(peer: ElevenLabsPeer) -> None:
    """The agent takes calls, and that is said; so is what it lacks."""
    peer.agent = agent_of("take_message")
    tried = await trying.attempt_async("elevenlabs-agent", aimed(peer), owner=uuid4())
    assert tried.outcome == "ok" and tried.detail.startswith("It takes calls. It lacks these client tools")
    assert "transfer" in tried.advice
