"""Sessions that end before the call does: what was said goes on in the next one."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from eslbridge.media.codec import encode
from secretary.speech.openai_realtime.provider import OpenAIRealtimeProvider
from secretary.speech.openai_realtime.session import OpenAISession
from tests.peers.openai_realtime import OpenAIPeer, Reply
from tests.secretary.speech.realtime.ear import BRIEFING, FRAME, Ear, access, renewed, speak
from tests.secretary.speech.realtime.openai.conftest import Open


async def test_the_servers_own_end_of_the_session_counts(peer: OpenAIPeer) -> None:
    """Where it says when it ends the session, that is sooner than what is known here."""
    peer.expires_at = int(time.time()) + 2
    session, ear = OpenAIRealtimeProvider().session(BRIEFING, access(peer.url)), Ear()
    await session.open(ear)
    assert session.lifetime_s is not None and session.lifetime_s < 3
    await session.close()


async def test_a_session_is_renewed_in_a_quiet_moment(make: Open, peer: OpenAIPeer) -> None:
    """Before its time is over another one has its place, which knows what was heard; the caller notices nothing."""
    session, ear = await make(session_s="0.6")
    peer.caller_says, peer.replies = ["What do you sell?"], [Reply("We sell anvils.")]
    await speak(session)
    await ear.spoken()
    await peer.until(lambda: len(peer.sessions) == 2)
    await peer.until(lambda: len(peer.of("conversation.item.create")) == 2)
    await renewed(session)
    said = [e["item"]["content"][0]["text"] for e in peer.of("conversation.item.create")]
    assert said == ["What do you sell?", "We sell anvils."]
    await speak(session)
    await ear.spoken(2)
    assert not ear.of("failed")


async def test_a_renewal_waits_for_what_is_being_said(
    make: Open, peer: OpenAIPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is cut off by it: while the caller speaks the old session stays."""
    monkeypatch.setattr(OpenAISession, "renew_late_s", -10.0)
    session, ear = await make(session_s="0.1")
    session.turn_started()
    await asyncio.sleep(0.3)
    assert len(peer.sessions) == 1
    session.turn_ended(FRAME * 30)
    await ear.spoken()
    await peer.until(lambda: len(peer.sessions) == 2)


async def test_a_session_that_expires_is_followed_by_another(make: Open, peer: OpenAIPeer) -> None:
    """The server ends it in the middle of a turn: the turn is sent again, whole, and answered."""
    session, ear = await make()
    for _ in range(10):
        session.hear(FRAME)
    session.turn_started()
    await asyncio.sleep(0)
    session.hear(FRAME)
    await peer.until(lambda: peer.heard)
    await peer.error("session_expired")
    await peer.close(1001, "Your session hit the maximum duration of 60 minutes.")
    await peer.until(lambda: len(peer.sessions) == 2)
    peer.heard.clear()
    session.turn_ended(FRAME * 40)
    spoken = await ear.spoken()
    assert spoken.text == "Certainly."
    assert bytes(peer.heard) == encode(FRAME, "PCMU") * 40
    assert not ear.of("failed")


async def test_a_tool_called_before_the_renewal_is_not_lost(make: Open, peer: OpenAIPeer) -> None:
    """Its result reaches the new session as words, for it knows no such call."""
    session, ear = await make()
    peer.replies = [Reply("One moment.", tools=[("transfer", {"destination": "Sales"})])]
    await speak(session)
    call = await ear.tool()
    await peer.close(1001)
    await peer.until(lambda: len(peer.sessions) == 2)
    await asyncio.sleep(0.05)
    session.tool_result(call.tool_call_id, "busy")
    await ear.spoken(2)
    assert "transfer has ended: busy" in peer.of("conversation.item.create")[-1]["item"]["content"][0]["text"]


async def test_an_expired_session_that_cannot_be_replaced_fails(make: Open, peer: OpenAIPeer) -> None:
    """Then the conversation has to go on with somebody else."""
    _session, ear = await make()
    peer.refuse_with = 429
    await peer.close(1001)
    assert (await ear.failure())[0] == "rate_limited"


async def test_a_loss_during_a_renewal_waits_for_it(
    make: Open, peer: OpenAIPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old connection breaks while the new one is set up: the new one takes over, and nothing failed."""
    session, ear = await make(session_s="0.4")
    setting_up = asyncio.Event()
    establish = session._establish

    async def slowly() -> Any:
        setting_up.set()
        await asyncio.sleep(0.1)
        return await establish()

    monkeypatch.setattr(session, "_establish", slowly)
    await setting_up.wait()
    await peer.connections[0].close(1011)
    await peer.until(lambda: len(peer.sessions) == 2)
    await speak(session)
    await ear.spoken()
    assert not ear.of("failed")


async def test_a_provider_that_takes_over_knows_what_was_said(make: Open, peer: OpenAIPeer) -> None:
    """The history is there before the first turn, each line in its role."""
    session, ear = await make(history="yes")
    await speak(session)
    await ear.spoken()
    roles = [(e["item"]["role"], e["item"]["content"][0]["text"]) for e in peer.of("conversation.item.create")]
    assert roles == [("user", "Sales please."), ("assistant", "Sales is busy. Anything else?")]
    kinds = [message["type"] for message in peer.received]
    assert kinds.index("conversation.item.create") < kinds.index("input_audio_buffer.append")
