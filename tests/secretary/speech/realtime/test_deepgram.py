"""Deepgram's Voice Agent against a server that speaks it, each message held against Deepgram's own types."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from eslbridge.media.codec import decode, encode
from secretary.speech.contract import ProviderError
from secretary.speech.deepgram_agent import session as module
from secretary.speech.deepgram_agent.provider import DeepgramAgentProvider
from secretary.speech.deepgram_agent.session import DeepgramSession
from tests.peers.deepgram_agent import CLIENT, TONE, DeepgramPeer, Reply, typed
from tests.peers.strict import WireFault
from tests.secretary.speech.realtime.ear import BRIEFING, FRAME, HISTORY, SECRET, Ear, access, renewed

Open = Callable[..., Awaitable[tuple[DeepgramSession, Ear]]]


@pytest.fixture
async def peer() -> AsyncIterator[DeepgramPeer]:
    async with DeepgramPeer() as peer:
        yield peer


@pytest.fixture
async def make(peer: DeepgramPeer) -> AsyncIterator[Open]:
    sessions: list[DeepgramSession] = []

    async def make(**options: str) -> tuple[DeepgramSession, Ear]:
        history = HISTORY if options.pop("history", "") else ()
        briefing = replace(BRIEFING, history=history, language=options.pop("lang", "en"))
        session = DeepgramAgentProvider().session(briefing, access(peer.url, **options))
        sessions.append(session)
        ear = Ear()
        await session.open(ear)
        return session, ear

    yield make
    for session in sessions:
        await session.close()


async def test_the_settings_have_all_that_the_call_needs(make: Open, peer: DeepgramPeer) -> None:
    """Mu-law both ways, prompt, functions, voice, what was said before; the key in a header."""
    await make(history="yes", model="gpt-4.1-mini", voice="aura-2-luna-en")
    (settings,) = peer.settings
    assert settings["audio"]["input"] == {"encoding": "mulaw", "sample_rate": 8000}
    assert settings["audio"]["output"] == {"encoding": "mulaw", "sample_rate": 8000, "container": "none"}
    agent = settings["agent"]
    assert agent["think"]["provider"] == {"type": "open_ai", "model": "gpt-4.1-mini"}
    assert "anvils" in agent["think"]["prompt"]
    assert agent["think"]["functions"][0]["name"] == "transfer"
    assert agent["speak"]["provider"]["model"] == "aura-2-luna-en"
    assert [line["role"] for line in agent["context"]["messages"]] == ["user", "assistant"]
    assert peer.requests[0].headers["Authorization"] == f"Token {SECRET}"
    assert SECRET not in peer.requests[0].path


@pytest.mark.parametrize("service", ["eleven_labs", "open_ai"])
async def test_portuguese_has_somebody_elses_voice(make: Open, peer: DeepgramPeer, service: str) -> None:
    """With the key of that vendor."""
    await make(lang="pt-br", speak_provider=service, speak_key="other", voice="alloy")
    agent = peer.settings[0]["agent"]
    assert agent["listen"]["provider"]["language"] == "pt-BR"
    assert "other" in json.dumps(agent["speak"]["endpoint"]["headers"])


async def test_portuguese_in_an_english_voice_is_refused(peer: DeepgramPeer) -> None:
    """Nobody would understand it: the next provider has to take the call."""
    briefing = replace(BRIEFING, language="pt-br")
    session = DeepgramAgentProvider().session(briefing, access(peer.url))
    with pytest.raises(ProviderError, match="Portuguese") as caught:
        await session.open(Ear())
    assert caught.value.kind == "refused"
    await session.close()


async def test_g711_goes_straight_through(make: Open, peer: DeepgramPeer) -> None:
    """In binary messages, without a byte around it."""
    session, ear = await make()
    for _ in range(20):
        session.hear(FRAME)
    await peer.until(lambda: bytes(peer.heard) == encode(FRAME, "PCMU") * 20)
    session.say("Hello.")
    assert (await ear.spoken()).pcm == decode(TONE, "PCMU") * (6 * 60)


async def test_the_platforms_sentences_are_spoken_word_by_word(make: Open, peer: DeepgramPeer) -> None:
    """One after the other, in the agent's voice, without a model in between."""
    session, ear = await make()
    assert session.verbatim
    session.say("Acme, good morning.")
    session.say("This call is recorded.", keep=False)
    await ear.spoken(2)
    assert ear.said() == ["Acme, good morning.", "This call is recorded."]
    assert [message["behavior"] for message in peer.of("InjectAgentMessage")] == ["queue", "queue"]
    assert [line.text for line in session.memory.lines()] == ["Acme, good morning."]
    assert not ear.of("thinking")


async def test_a_sentence_of_the_platform_supersedes_an_answer(make: Open, peer: DeepgramPeer) -> None:
    """The answer ends, nothing more of it is told, the sentence is whole."""
    session, ear = await make()
    await peer.turn("Hello", Reply("A long story about anvils and hammers.", chunk_s=0.02))
    await ear.until(lambda: len(ear.of("voice")) > 3)
    session.say("Your time is up.")
    await ear.spoken(2)
    first, second = ear.utterances.values()
    assert first.over and first.ms < 38 * 60
    assert (second.text, second.ms) == ("Your time is up.", 16 * 60)
    assert peer.of("InjectAgentMessage")[0]["behavior"] == "interrupt"


async def test_a_refused_sentence_is_tried_again(
    make: Open, peer: DeepgramPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody was speaking at that moment."""
    monkeypatch.setattr(module, "AGAIN_S", 0.01)
    peer.refuse_injections = 2
    session, ear = await make()
    session.say("Acme, good morning.")
    assert (await ear.spoken()).text == "Acme, good morning."


async def test_a_turn_is_told_in_order(make: Open, peer: DeepgramPeer) -> None:
    """Beginning, end, words, the first thought, the answer with its words."""
    session, ear = await make()
    await peer.turn("Sales please", Reply("One moment please."))
    assert (await ear.spoken()).text == "One moment please."
    order = [event[0] for event in ear.events if event[0] != "voice"]
    assert order == ["started", "stopped", "caller", "thinking"]
    assert [line.text for line in session.memory.lines()] == ["Sales please", "One moment please."]


async def test_a_tool_waits_for_the_sentence_before_it(make: Open, peer: DeepgramPeer) -> None:
    """It is told when the sentence is complete; its result goes back under its id and name."""
    session, ear = await make()
    await peer.turn("Sales", Reply("One moment.", tools=[("transfer", {"destination": "Sales"})]))
    call = await ear.tool()
    assert (call.name, call.arguments) == ("transfer", {"destination": "Sales"})
    kinds = [event[0] for event in ear.events]
    assert kinds.index("tool") > max(at for at, kind in enumerate(kinds) if kind == "voice")
    session.tool_result(call.tool_call_id, "busy", "nobody answers")
    (response,) = await peer.until(lambda: peer.of("FunctionCallResponse"))
    assert (response["id"], response["name"]) == (call.tool_call_id, "transfer")
    assert json.loads(response["content"]) == {"outcome": "busy", "detail": "nobody answers"}


async def test_a_tool_does_not_wait_for_ever(make: Open, peer: DeepgramPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the end of the sound is not told, a pause in it is enough."""
    monkeypatch.setattr(module, "PAUSE_S", 0.05)
    _session, ear = await make()
    reply = Reply("One moment.", tools=[("transfer", {"destination": "Sales"})], done=False)
    await peer.turn("Sales", reply)
    await ear.tool()
    assert next(iter(ear.utterances.values())).over


async def test_arguments_that_are_no_json_and_cancelled_calls(make: Open, peer: DeepgramPeer) -> None:
    """The first are given back, the results of the second are kept."""
    session, ear = await make()
    await peer.turn("Sales", Reply("", tools=[("transfer", "{"), ("transfer", {"destination": "Sales"})]))
    call = await ear.tool()
    assert "no JSON" in (await peer.until(lambda: peer.of("FunctionCallResponse")))[0]["content"]
    await peer.tell("FunctionCallCancelled", functions=[{"id": call.tool_call_id, "name": "transfer"}])
    await asyncio.sleep(0.02)
    session.tool_result(call.tool_call_id, "ok")
    await asyncio.sleep(0.02)
    assert len(peer.of("FunctionCallResponse")) == 1


async def test_an_interruption(make: Open, peer: DeepgramPeer) -> None:
    """It stops by itself when it hears the caller; what the platform cut off before is dropped here."""
    session, ear = await make()
    await peer.turn("Hello", Reply("A long story about anvils and hammers.", chunk_s=0.02))
    await ear.until(lambda: len(ear.of("voice")) > 3)
    session.interrupted(ear.of("voice")[0][1], "A long", 200)
    told = len(ear.of("voice"))
    await asyncio.sleep(0.1)
    assert len(ear.of("voice")) == told
    await peer.turn("Stop", Reply("Yes?"))
    await ear.spoken(2) if len(ear.utterances) > 2 else await ear.until(lambda: "Yes?" in ear.said())
    assert "A long" in [line.text for line in session.memory.lines()]


async def test_another_language_is_told(make: Open, peer: DeepgramPeer) -> None:
    """By a recogniser that tells languages apart."""
    _session, ear = await make(listen_model="flux-general-multi")
    await peer.turn("Bom dia", Reply("Bom dia."), languages=["pt"])
    await ear.until(lambda: ear.of("language") == [("language", "pt-br")])


async def test_keys_are_told(make: Open, peer: DeepgramPeer) -> None:
    """At the hash, as one number; what we wrote ourselves is no turn of the caller."""
    session, ear = await make()
    for digit in "42#":
        session.dtmf(digit)
    message = await peer.until(lambda: peer.of("InjectUserMessage"))
    await peer.tell("ConversationText", role="user", content=message[0]["content"])
    await ear.spoken()
    assert "4 2 #" in message[0]["content"]
    assert not ear.of("caller")


async def test_it_is_kept_alive(make: Open, peer: DeepgramPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no audio flows, a message says that we are there."""
    monkeypatch.setattr(module, "KEEP_S", 0.02)
    await make()
    await peer.until(lambda: len(peer.of("KeepAlive")) >= 2)


async def test_time_is_accounted_for(make: Open, peer: DeepgramPeer) -> None:
    """Paid by the minute: the seconds are told at the latest when it closes."""
    session, ear = await make()
    await asyncio.sleep(0.05)
    await session.close()
    ((_, unit, quantity),) = ear.of("usage")
    assert unit == "second" and 0.04 < quantity < 2


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("INVALID_SETTINGS", "refused"),
        ("INTERNAL_SERVER_ERROR", "unreachable"),
        ("CLIENT_MESSAGE_TIMEOUT", "unreachable"),
        ("ASR_CONNECTION_CLOSED", "unreachable"),
        ("FAILED_TO_THINK", "unreachable"),
        ("UNPARSABLE_CLIENT_MESSAGE", "protocol"),
        (f"x {SECRET}", "protocol"),
    ],
)
async def test_an_error_has_a_kind(make: Open, peer: DeepgramPeer, code: str, kind: str) -> None:
    """In answer to the settings and later; its description stays outside."""
    _session, ear = await make()
    await peer.error(code)
    assert (await ear.failure())[0] == kind
    peer.refusal = code
    session = DeepgramAgentProvider().session(BRIEFING, access(peer.url))
    with pytest.raises(ProviderError) as caught:
        await session.open(Ear())
    assert (caught.value.kind, SECRET in str(caught.value)) == (kind, False)
    await session.close()


async def test_a_server_that_goes_away_is_left_for_another(make: Open, peer: DeepgramPeer) -> None:
    """Maintenance is no failure: the conversation goes on elsewhere, with what was said."""
    session, ear = await make(history="yes")
    await peer.error("SERVER_GOING_AWAY")
    await renewed(session)
    assert peer.settings[1]["agent"]["context"] == peer.settings[0]["agent"]["context"]
    await peer.turn("Hello", Reply("Yes?"))
    await ear.spoken()
    assert (session.renewals, ear.of("failed")) == (1, [])


async def test_a_warning_ends_nothing(make: Open, peer: DeepgramPeer) -> None:
    """It is written down, and the conversation goes on."""
    _session, ear = await make()
    await peer.tell("Warning", code="PROMPT_TOO_LONG", description="cut")
    await peer.turn("Hello", Reply("Yes?"))
    await ear.spoken()
    assert not ear.of("failed")


async def test_a_warning_that_the_session_ends_renews_it(make: Open, peer: DeepgramPeer) -> None:
    """Should its time be over sooner than is known here."""
    session, ear = await make(history="yes")
    await peer.tell("Warning", code="MAXIMUM_SESSION_LENGTH_APPROACHING", description="5 min")
    await peer.until(lambda: len(peer.settings) == 2)
    await renewed(session)
    await peer.turn("Hello", Reply("Yes?"))
    await ear.spoken()
    assert not ear.of("failed")


async def test_a_session_is_renewed_in_a_quiet_moment(make: Open, peer: DeepgramPeer) -> None:
    """Another one takes its place, which knows what was said."""
    session, ear = await make(session_s="0.6")
    await peer.turn("What do you sell?", Reply("Anvils."))
    await ear.spoken()
    await peer.until(lambda: len(peer.settings) == 2)
    said = [line["content"] for line in peer.settings[1]["agent"]["context"]["messages"]]
    assert said == ["What do you sell?", "Anvils."]
    await renewed(session)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "InjectAgentMessage"},
        {"type": "InjectAgentMessage", "message": "x", "behaviour": "queue"},
        {"type": "InjectAgentMessage", "message": "x", "behavior": "shout"},
        {"type": "Settings", "audio": {}, "agent": {"think": {"provider": {"type": "openai", "model": "x"}}}},
        {"type": "Settings", "audio": {"input": {"encoding": "ulaw", "sample_rate": 8000}}, "agent": {}},
        {"type": "Setings", "audio": {}, "agent": {}},
        {"audio": {}, "agent": {}},
    ],
)
def test_what_deepgram_does_not_know_is_a_fault(message: dict[str, Any]) -> None:
    """The check of the wire can fail, though the SDK's types take nearly everything."""
    with pytest.raises(WireFault):
        typed(CLIENT, message)
