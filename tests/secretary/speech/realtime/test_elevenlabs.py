"""An ElevenLabs agent against a server that speaks its contract, each message held against it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from eslbridge.media.codec import decode, encode
from secretary.speech.contract import ProviderError, ToolSpec
from secretary.speech.elevenlabs_agent import session as module
from secretary.speech.elevenlabs_agent.provider import ElevenLabsAgentProvider
from secretary.speech.elevenlabs_agent.session import ElevenLabsSession
from tests.peers.elevenlabs_agent import TONE, ElevenLabsPeer, Reply
from tests.peers.strict import WireFault
from tests.secretary.speech.realtime.ear import BRIEFING, FRAME, HISTORY, SECRET, Ear, access, renewed

Open = Callable[..., Awaitable[tuple[ElevenLabsSession, Ear]]]
GREETING = BRIEFING.greeting


@pytest.fixture
async def peer() -> AsyncIterator[ElevenLabsPeer]:
    async with ElevenLabsPeer() as peer:
        yield peer


@pytest.fixture
async def make(peer: ElevenLabsPeer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    monkeypatch.setattr(module, "PAUSE_S", 0.1)
    sessions: list[ElevenLabsSession] = []

    async def make(**options: str) -> tuple[ElevenLabsSession, Ear]:
        briefing = replace(BRIEFING, history=HISTORY if options.pop("history", "") else (), language="pt-br")
        given = access(peer.url, **({"agent_id": "agent_1", "connect": "key"} | options))
        session = ElevenLabsAgentProvider().session(briefing, given)
        sessions.append(session)
        ear = Ear()
        await session.open(ear)
        return session, ear

    yield make
    for session in sessions:
        await session.close()


async def test_the_agent_becomes_the_secretary(make: Open, peer: ElevenLabsPeer) -> None:
    """Prompt, first message and language of this call; the key in a header."""
    await make()
    (begun,) = peer.initiations
    agent = begun["conversation_config_override"]["agent"]
    assert "anvils" in agent["prompt"]["prompt"]
    assert (agent["first_message"], agent["language"]) == (GREETING, "pt-br")
    assert peer.requests[0].headers["xi-api-key"] == SECRET
    assert SECRET not in peer.requests[0].path


async def test_a_key_is_exchanged_for_a_signed_url(make: Open, peer: ElevenLabsPeer) -> None:
    """The usual way: the WebSocket itself needs no key then."""
    await make(connect="signed")
    signing, talking = peer.requests
    assert signing.headers["xi-api-key"] == SECRET
    assert "conversation_signature" in talking.path
    assert "xi-api-key" not in talking.headers


async def test_what_the_agent_does_not_allow_is_left_out(make: Open, peer: ElevenLabsPeer) -> None:
    """One override too many, and ElevenLabs closes the connection."""
    await make(overrides="language")
    assert peer.initiations[0]["conversation_config_override"] == {"agent": {"language": "pt-br"}}


async def test_the_greeting_waits_until_it_is_said(make: Open, peer: ElevenLabsPeer) -> None:
    """Its sound has come already; nothing of it is told before the platform says it, and then all at once."""
    session, ear = await make()
    await asyncio.sleep(0.05)
    assert not ear.of("voice")
    session.say(GREETING)
    spoken = await ear.spoken()
    assert (spoken.text, spoken.ms) == (GREETING, len(GREETING) * 60)
    assert not peer.of("user_message")


async def test_another_sentence_is_asked_for(make: Open, peer: ElevenLabsPeer) -> None:
    """What it greeted with is not heard then."""
    session, ear = await make()
    await asyncio.sleep(0.05)
    session.say("We are closed today.")
    spoken = await ear.spoken()
    assert spoken.text == "We are closed today."
    assert peer.of("user_message")[0]["text"].startswith("[platform]")
    assert len(ear.utterances) == 1


async def test_g711_goes_straight_through(make: Open, peer: ElevenLabsPeer) -> None:
    """All of the caller's audio, as it is; the agent's as it comes."""
    session, ear = await make()
    session.say(GREETING)
    for _ in range(20):
        session.hear(FRAME)
    await peer.until(lambda: bytes(peer.heard) == encode(FRAME, "PCMU") * 20)
    assert (await ear.spoken()).pcm == decode(TONE, "PCMU") * (len(GREETING) * 60)
    assert session.detects_turns


async def test_other_formats_are_resampled(make: Open, peer: ElevenLabsPeer) -> None:
    """An agent that was not made for the telephone: 16,000 Hz both ways."""
    peer.formats = ("pcm_16000", "pcm_16000")
    session, ear = await make()
    session.say(GREETING)
    for _ in range(20):
        session.hear(FRAME)
    await peer.until(lambda: len(peer.heard) == 20 * 640)
    assert (await ear.spoken()).ms == len(GREETING) * 60


async def test_a_format_that_does_not_fit_is_refused(peer: ElevenLabsPeer) -> None:
    """With a word on what to do about it."""
    peer.formats = ("ulaw_8000", "pcm_44100")
    session = ElevenLabsAgentProvider().session(BRIEFING, access(peer.url, agent_id="a", connect="key"))
    with pytest.raises(ProviderError, match="choose ulaw_8000") as caught:
        await session.open(Ear())
    assert caught.value.kind == "refused"
    await session.close()


async def test_a_turn_is_told_in_order(make: Open, peer: ElevenLabsPeer) -> None:
    """Beginning, end, words, then the answer with its own."""
    session, ear = await make()
    session.say(GREETING)
    await ear.spoken()
    await peer.turn("Sales please", Reply("One moment please."))
    assert (await ear.spoken(2)).text == "One moment please."
    order = [event[0] for event in ear.events if event[0] in ("started", "stopped", "caller", "thinking")]
    assert order == ["started", "stopped", "caller", "thinking"]
    assert ear.of("interim") == [("interim", "Sales please")]
    assert [line.text for line in session.memory.lines()] == [GREETING, "Sales please", "One moment please."]


async def test_words_come_with_the_sound_they_are_in(make: Open, peer: ElevenLabsPeer) -> None:
    """Where the agent says when each letter sounds, the words are exactly there, and whole."""
    _session, ear = await make(history="yes")
    await peer.turn("Hello", Reply("One two three four.", aligned=True))
    spoken = await ear.spoken()
    assert [text for text, _pcm in spoken.parts] == ["One", "two", "", "three", "", "four."]


async def test_a_tool_waits_for_the_sentence_before_it(make: Open, peer: ElevenLabsPeer) -> None:
    """It is told when the sound has ended; its result goes back, and the agent goes on."""
    session, ear = await make()
    peer.replies = [Reply("Sales is busy.")]
    await peer.turn("Sales", Reply("One moment.", tools=[("transfer", {"destination": "Sales"})]))
    call = await ear.tool()
    assert (call.name, call.arguments) == ("transfer", {"destination": "Sales"})
    session.tool_result(call.tool_call_id, "busy", "nobody answers")
    (result,) = await peer.until(lambda: peer.of("client_tool_result"))
    assert json.loads(result["result"]) == {"outcome": "busy", "detail": "nobody answers"}
    assert result["is_error"] is False


async def test_the_agents_own_interruption(make: Open, peer: ElevenLabsPeer) -> None:
    """The caller is heard; sound from before it is dropped; the memory is what was corrected."""
    session, ear = await make(history="yes")
    await peer.turn("Hello", Reply("A long story about anvils and hammers.", chunk_s=0.02))
    await ear.until(lambda: len(ear.of("voice")) > 2)
    await peer.interrupt(corrected="A long")
    await peer.sound("late", number=1)
    await peer.turn("Stop", Reply("Yes?"))
    await ear.until(lambda: len(ear.utterances) == 2)
    await ear.spoken(2)
    assert ear.said()[1] == "Yes?"
    assert [line.text for line in session.memory.lines()][-3:] == ["A long", "Stop", "Yes?"]


async def test_the_platforms_interruption(make: Open, peer: ElevenLabsPeer) -> None:
    """The agent cannot be told: what it still says of that answer is not passed on."""
    session, ear = await make(history="yes")
    await peer.turn("Hello", Reply("A long story about anvils and hammers.", chunk_s=0.02))
    await ear.until(lambda: len(ear.of("voice")) > 2)
    session.interrupted(ear.of("voice")[0][1], "A long", 300)
    told = len(ear.of("voice"))
    await asyncio.sleep(0.2)
    assert len(ear.of("voice")) == told
    await peer.turn("Stop", Reply("Yes?"))
    await ear.until(lambda: "Yes?" in ear.said())


async def test_pings_are_answered(make: Open, peer: ElevenLabsPeer) -> None:
    """While the conversation opens, and later."""
    await make()
    await peer.until(lambda: peer.of("pong"))
    await peer.ping()
    await peer.until(lambda: len(peer.of("pong")) == 2)


async def test_keys_are_told(make: Open, peer: ElevenLabsPeer) -> None:
    """At the hash, as one number."""
    session, _ear = await make()
    for digit in "42#":
        session.dtmf(digit)
    message = await peer.until(lambda: peer.of("user_message"))
    assert "4 2 #" in message[0]["text"]


async def test_time_is_accounted_for(make: Open, peer: ElevenLabsPeer) -> None:
    """Paid by the minute: the seconds are told at the latest when it closes."""
    session, ear = await make()
    await asyncio.sleep(0.05)
    await session.close()
    ((_, unit, quantity),) = ear.of("usage")
    assert unit == "second" and 0.04 < quantity < 2


async def test_a_conversation_that_is_too_long_goes_on(make: Open, peer: ElevenLabsPeer) -> None:
    """The agent's longest duration is reached: another conversation follows, which knows what was said."""
    session, ear = await make(history="yes")
    error = {"code": 1000, "error_type": "max_duration_exceeded", "message": SECRET}
    await peer.send({"type": "error", "error_event": error})
    await peer.close(1000)
    await peer.until(lambda: len(peer.initiations) == 2)
    agent = peer.initiations[1]["conversation_config_override"]["agent"]
    assert "Caller: Sales please." in agent["prompt"]["prompt"]
    assert agent["first_message"] == ""
    await renewed(session)
    await peer.turn("Hello", Reply("Yes?"))
    await ear.spoken()


async def test_an_agent_that_hangs_up_ends_the_call(peer: ElevenLabsPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its goodbye is heard to the end, then the platform does what it does for any secretary that ends a call."""
    monkeypatch.setattr(module, "PAUSE_S", 0.1)
    tools = (*BRIEFING.tools, ToolSpec("end_call", "End the call."))
    briefing = replace(BRIEFING, tools=tools, history=HISTORY)
    session = ElevenLabsAgentProvider().session(briefing, access(peer.url, agent_id="a", connect="key"))
    ear = Ear()
    await session.open(ear)
    await peer.turn("Bye", Reply("Goodbye."))
    await ear.until(lambda: ear.of("voice"))
    await peer.close(1000)
    call = await ear.tool()
    assert call.name == "end_call"
    assert next(iter(ear.utterances.values())).over
    assert not ear.of("failed") and len(peer.initiations) == 1
    await session.close()


@pytest.mark.parametrize(
    ("code", "word", "kind"),
    [(1008, "override_error", "refused"), (1002, "llm_timeout", "unreachable"), (1011, "unknown", "unreachable")],
)
async def test_a_refused_conversation_has_a_reason(peer: ElevenLabsPeer, code: int, word: str, kind: str) -> None:
    """By the type of error that it names; its message stays outside."""
    peer.refusal = {"code": code, "error_type": word, "message": SECRET}
    session = ElevenLabsAgentProvider().session(BRIEFING, access(peer.url, agent_id="a", connect="key"))
    with pytest.raises(ProviderError) as caught:
        await session.open(Ear())
    assert (caught.value.kind, SECRET in str(caught.value)) == (kind, False)
    await session.close()


@pytest.mark.parametrize(("status", "kind"), [(401, "auth"), (429, "rate_limited"), (500, "unreachable")])
async def test_a_key_that_is_refused_has_a_reason(peer: ElevenLabsPeer, status: int, kind: str) -> None:
    """Already where it is exchanged."""
    peer.refuse_with = status
    session = ElevenLabsAgentProvider().session(BRIEFING, access(peer.url, agent_id="a"))
    with pytest.raises(ProviderError) as caught:
        await session.open(Ear())
    assert (caught.value.kind, SECRET in str(caught.value)) == (kind, False)
    await session.close()


async def test_an_agent_must_be_named(peer: ElevenLabsPeer) -> None:
    """Nothing is connected to without one."""
    session = ElevenLabsAgentProvider().session(BRIEFING, access(peer.url))
    with pytest.raises(ProviderError, match="agent_id"):
        await session.open(Ear())
    assert not peer.requests
    await session.close()


@pytest.mark.parametrize(
    "message",
    [
        {"type": "pong"},
        {"type": "user_audio_chunk", "user_audio_chunk": "AAAA"},
        {"type": "client_tool_result", "tool_call_id": "c", "result": {"ok": True}, "is_error": False},
        {"type": "conversation_initiation_client_data", "conversation_config_override": {"agent": {"promt": {}}}},
        {"type": "conversation_initiation_client_data", "prompt": "x"},
    ],
)
def test_what_elevenlabs_does_not_know_is_a_fault(message: dict[str, Any]) -> None:
    """The check of the wire can fail."""
    with pytest.raises(WireFault):
        ElevenLabsPeer().fits_client(message)


async def test_a_greeting_that_somebody_else_said_is_forgotten(make: Open, peer: ElevenLabsPeer) -> None:
    """The platform greets in its own voice: what the agent would have said does not stand in the way of its answers."""
    session, ear = await make()
    await asyncio.sleep(0.05)
    await peer.turn("Sales please", Reply("One moment."))
    assert (await ear.spoken()).text == "One moment."
    assert len(ear.utterances) == 1
    assert session.memory.lines()[-1].text == "One moment."
