"""Gemini Live against a server that speaks it, each message held against Google's own types."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from secretary.speech.contract import ProviderError
from secretary.speech.gemini_live import session as gemini_session
from secretary.speech.gemini_live.provider import GeminiLiveProvider
from secretary.speech.gemini_live.session import GeminiSession
from tests.peers.gemini_live import CLIENT, GeminiPeer, Reply
from tests.peers.strict import WireFault, fits
from tests.secretary.speech.realtime.ear import BRIEFING, FRAME, HISTORY, SECRET, Ear, access, renewed, speak

Open = Callable[..., Awaitable[tuple[GeminiSession, Ear]]]


@pytest.fixture
async def peer() -> AsyncIterator[GeminiPeer]:
    async with GeminiPeer() as peer:
        yield peer


@pytest.fixture
async def make(peer: GeminiPeer) -> AsyncIterator[Open]:
    sessions: list[GeminiSession] = []

    async def make(**options: str) -> tuple[GeminiSession, Ear]:
        briefing = replace(BRIEFING, history=HISTORY if options.pop("history", "") else (), voice="Kore")
        session = GeminiLiveProvider().session(briefing, access(peer.url, **options))
        sessions.append(session)
        ear = Ear()
        await session.open(ear)
        return session, ear

    yield make
    for session in sessions:
        await session.close()


async def test_a_session_is_set_up_with_all_that_the_call_needs(make: Open, peer: GeminiPeer) -> None:
    """Voice, tools, transcripts both ways, our own turns, resumption; the key in a header and not in the URL."""
    await make()
    (setup,) = peer.setups
    assert setup["generationConfig"]["speechConfig"]["voiceConfig"]["prebuiltVoiceConfig"]["voiceName"] == "Kore"
    assert setup["realtimeInputConfig"]["automaticActivityDetection"] == {"disabled": True}
    assert setup["tools"][0]["functionDeclarations"][0]["name"] == "transfer"
    assert "anvils" in setup["systemInstruction"]["parts"][0]["text"]
    assert {"inputAudioTranscription", "outputAudioTranscription", "sessionResumption"} <= set(setup)
    assert peer.requests[0].headers["x-goog-api-key"] == SECRET
    assert SECRET not in peer.requests[0].path


@pytest.mark.parametrize(
    ("model", "behavior"), [("gemini-3.8-live", "BLOCKING"), ("gemini-3.8-live-extended-thinking", None)]
)
async def test_models_that_would_talk_on_wait_for_tools(
    make: Open, peer: GeminiPeer, model: str, behavior: str | None
) -> None:
    """Where a model can be told to wait for a tool, it is; where it refuses that, it is not."""
    await make(model=model, thinking_level="" if behavior else "low")
    (setup,) = peer.setups
    assert setup["tools"][0]["functionDeclarations"][0].get("behavior") == behavior
    assert ("thinkingConfig" in setup["generationConfig"]) == (behavior is None)


async def test_a_turn_goes_out_at_16_khz_and_comes_back_at_8(make: Open, peer: GeminiPeer) -> None:
    """Activity begins before its onset; the answer's sound is as long as it was, and its words come with it."""
    session, ear = await make()
    peer.replies, peer.caller_says = [Reply("Good morning to you.")], ["Hello there."]
    await speak(session, frames=20)
    spoken = await ear.spoken()
    assert len(peer.heard) == 30 * 640
    assert spoken.text == "Good morning to you."
    assert spoken.ms == 20 * 60
    await ear.until(lambda: ear.of("caller") == [("caller", "Hello there.")])
    await ear.until(lambda: len(ear.of("usage")) == 4)
    assert dict(event[1:] for event in ear.of("usage")) == {
        "input_token": 10,
        "audio_input_token": 30,
        "output_token": 5,
        "audio_output_token": 15,
    }
    kinds = [next(iter(message.get("realtimeInput", {"setup": 0}))) for message in peer.received]
    assert kinds == ["setup", "activityStart", *["audio"] * 21, "activityEnd"]


async def test_the_voice_keeps_its_pitch_and_its_loudness(make: Open, peer: GeminiPeer) -> None:
    """A tone of 1,000 Hz at 24,000 Hz is one at 8,000 Hz, without gaps where two pieces meet."""
    session, ear = await make()
    peer.replies = [Reply("Good morning to you.")]
    await speak(session)
    sound = np.frombuffer((await ear.spoken()).pcm, "<i2").astype(float)
    spectrum = np.abs(np.fft.rfft(sound))
    assert abs(np.argmax(spectrum) * 8_000 / len(sound) - 1_000) < 2
    blocks = sound[80 : len(sound) // 80 * 80].reshape(-1, 80)
    assert np.std(np.sqrt((blocks**2).mean(axis=1))) < 0.02 * np.sqrt((blocks**2).mean())


async def test_words_that_come_after_their_sound_are_kept(make: Open, peer: GeminiPeer) -> None:
    """A transcript that is late belongs to the utterance that it is of."""
    session, ear = await make()
    peer.replies = [Reply("Good morning to you.", late_words=True)]
    await speak(session)
    await ear.until(lambda: ear.said() == ["Good morning to you."])
    await ear.until(lambda: ear.of("usage"))
    assert [line.text for line in session.memory.lines()] == ["Hello.", "Good morning to you."]


@pytest.mark.parametrize("model", ["", "gemini-2.5-flash-native-audio-latest", "gemini-3.1-flash-live-preview"])
async def test_the_platforms_sentences_are_asked_for_one_by_one(make: Open, peer: GeminiPeer, model: str) -> None:
    """As content or as realtime text, whichever the model takes; the second one when the first has been said."""
    session, ear = await make(model=model)
    session.say("Acme, good morning.")
    session.say("This call is recorded.", keep=False)
    await ear.spoken(2)
    assert ear.said() == ["Acme, good morning.", "This call is recorded."]
    assert all(("clientContent" in message) == ("gemini-3.1" not in model) for message in peer.received[1:])
    assert [line.text for line in session.memory.lines()] == ["Acme, good morning."]


async def test_a_sentence_of_the_platform_supersedes_an_answer(make: Open, peer: GeminiPeer) -> None:
    """What the model was saying ends, and nothing more of it is told."""
    session, ear = await make()
    peer.replies = [Reply("A long story about anvils and hammers.", chunk_s=0.03)]
    await speak(session)
    await ear.until(lambda: ear.of("voice"))
    session.say("Your time is up.")
    await ear.spoken(2)
    first, second = ear.utterances.values()
    assert first.over and first.ms < 38 * 60
    assert (second.text, second.ms) == ("Your time is up.", 16 * 60)


async def test_a_tool_is_called_and_its_result_brings_the_next_answer(make: Open, peer: GeminiPeer) -> None:
    """What was said before it is complete; the result goes back under its id and name."""
    session, ear = await make()
    peer.replies = [Reply("One moment.", tools=[("transfer", {"destination": "Sales"})]), Reply("Sales is busy.")]
    await speak(session)
    call = await ear.tool()
    assert (call.name, call.arguments) == ("transfer", {"destination": "Sales"})
    assert next(iter(ear.utterances.values())).over
    session.tool_result(call.tool_call_id, "busy", "nobody answers")
    await ear.spoken(2)
    (response,) = peer.received[-1]["toolResponse"]["functionResponses"]
    assert response == {
        "id": call.tool_call_id,
        "name": "transfer",
        "response": {"outcome": "busy", "detail": "nobody answers"},
    }


async def test_a_cancelled_tool_is_not_answered(make: Open, peer: GeminiPeer) -> None:
    """The model has taken the call back: its result would be an error."""
    session, ear = await make()
    peer.replies = [Reply("", tools=[("transfer", {"destination": "Sales"})])]
    await speak(session)
    call = await ear.tool()
    await peer.send({"toolCallCancellation": {"ids": [call.tool_call_id]}})
    await asyncio.sleep(0.02)
    session.tool_result(call.tool_call_id, "ok")
    await asyncio.sleep(0.02)
    assert not [message for message in peer.received if "toolResponse" in message]


async def test_an_interruption_ends_the_utterance(make: Open, peer: GeminiPeer) -> None:
    """Cut by the platform it is silent at once; the next turn's answer is another utterance."""
    session, ear = await make()
    peer.replies = [Reply("A long story about anvils and hammers.", chunk_s=0.03), Reply("Yes?")]
    await speak(session)
    await ear.until(lambda: len(ear.of("voice")) >= 2)
    session.interrupted(ear.of("voice")[0][1], "A long", 300)
    told = len(ear.of("voice"))
    await speak(session)
    await ear.until(lambda: len(ear.utterances) == 2)
    assert ear.of("voice")[told][1] != ear.of("voice")[0][1]
    assert (await ear.until(lambda: [one for one in ear.utterances.values() if one.over]))[0].text == "Yes?"
    await ear.until(lambda: [line.text for line in session.memory.lines()][-1] == "Yes?")
    assert "A long" in [line.text for line in session.memory.lines()]


async def test_its_own_turn_detection(make: Open, peer: GeminiPeer) -> None:
    """Left to it, all audio flows and it tells both ends of a turn."""
    session, ear = await make(turns="provider")
    assert session.detects_turns
    assert "disabled" not in peer.setups[0]["realtimeInputConfig"]["automaticActivityDetection"]
    for _ in range(50):
        session.hear(FRAME)
    await peer.until(lambda: len(peer.heard) == 50 * 640)
    await peer.content(inputTranscription={"text": "Sales "})
    await peer.content(inputTranscription={"text": "please"})
    peer.respond(Reply("One moment."))
    await ear.spoken()
    await ear.until(lambda: ear.of("caller"))
    order = [event for event in ear.events if event[0] in ("started", "stopped", "caller")]
    assert order == [("started",), ("stopped",), ("caller", "Sales please")]
    assert ear.of("interim") == [("interim", "Sales"), ("interim", "Sales please")]


async def test_another_language_is_told(make: Open, peer: GeminiPeer) -> None:
    """The model hears which one it is, once for each change."""
    session, ear = await make()
    peer.language = "pt-BR"
    await speak(session)
    await ear.spoken()
    await speak(session)
    await ear.spoken(2)
    assert ear.of("language") == [("language", "pt-br")]


async def test_a_provider_that_takes_over_knows_what_was_said(make: Open, peer: GeminiPeer) -> None:
    """The history is part of what it is told."""
    await make(history="yes")
    words = peer.setups[0]["systemInstruction"]["parts"][0]["text"]
    assert "Caller: Sales please.\nYou: Sales is busy. Anything else?" in words


async def test_a_connection_that_goes_away_is_resumed(make: Open, peer: GeminiPeer) -> None:
    """In a quiet moment, over another connection, by the handle; without the history, which the server has."""
    session, ear = await make()
    await speak(session)
    await ear.spoken()
    await ear.until(lambda: ear.of("usage"))
    await peer.go_away(50)
    await renewed(session)
    assert peer.setups[1]["sessionResumption"] == {"handle": "handle-1"}
    assert "Caller: Hello." not in peer.setups[1]["systemInstruction"]["parts"][0]["text"]
    await speak(session)
    await ear.spoken(2)
    assert (session.renewals, ear.of("failed")) == (1, [])


async def test_a_handle_that_is_refused_is_replaced_by_the_history(make: Open, peer: GeminiPeer) -> None:
    """Then the new session is told what was said."""
    session, ear = await make()
    peer.caller_says = ["What do you sell?"]
    await speak(session)
    await ear.spoken()
    await ear.until(lambda: ear.of("usage"))
    peer.known_handles.clear()
    await peer.go_away(50)
    await renewed(session)
    assert len(peer.setups) == 3
    assert peer.setups[2]["sessionResumption"] == {}
    assert "Caller: What do you sell?\nYou: Certainly." in peer.setups[2]["systemInstruction"]["parts"][0]["text"]
    await speak(session)
    await ear.spoken(2)


async def test_a_connection_that_ends_is_resumed_at_once(make: Open, peer: GeminiPeer) -> None:
    """The server's deadline, without a word before: the turn under way is sent again, whole."""
    session, ear = await make()
    session.turn_started()
    await asyncio.sleep(0)
    session.hear(FRAME)
    await peer.until(lambda: peer.heard)
    await peer.close(1011, "Deadline expired before operation could complete.")
    await peer.until(lambda: len(peer.setups) == 2)
    peer.heard.clear()
    session.turn_ended(FRAME * 40)
    await ear.spoken()
    assert len(peer.heard) == 40 * 640
    assert not ear.of("failed")


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (1007, f"API key not valid: {SECRET}", "auth"),
        (1011, "You exceeded your current quota", "rate_limited"),
        (1008, "models/x is not found for API version v1beta", "refused"),
        (1007, "Request contains an invalid argument.", "refused"),
        (1011, "Internal error encountered.", "unreachable"),
    ],
)
async def test_a_closed_door_has_a_reason(peer: GeminiPeer, code: int, reason: str, kind: str) -> None:
    """Whether it is the key, too many calls, the model or the weather; without a word of the reason itself."""
    peer.refusal = (code, reason)
    session = GeminiLiveProvider().session(BRIEFING, access(peer.url))
    with pytest.raises(ProviderError) as caught:
        await session.open(Ear())
    assert caught.value.kind == kind
    assert SECRET not in str(caught.value)
    await session.close()


async def test_garbage_ends_the_session(make: Open, peer: GeminiPeer) -> None:
    """A server that speaks something else is left."""
    _session, ear = await make()
    await peer.raw(b"\x00\x01")
    assert (await ear.failure())[0] == "protocol"


async def test_a_model_that_says_nothing_on_purpose(
    make: Open, peer: GeminiPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may hold that nothing needs to be said; a caller on the telephone waits all the same, and it is told so."""
    monkeypatch.setattr(gemini_session, "SILENT_S", 0.1)
    session, ear = await make()
    peer.replies = [Reply(""), Reply("Pardon?")]
    await speak(session)
    assert (await ear.spoken()).text == "Pardon?"
    told = peer.received[-1]["clientContent"]["turns"][0]["parts"][0]["text"]
    assert told.startswith("[platform] You have said nothing")
    peer.replies = [Reply(""), Reply("")]
    await speak(session)
    assert (await ear.failure())[0] == "unreachable"


async def test_a_silent_model_is_not_disturbed(make: Open, peer: GeminiPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who goes on speaking, or was not waiting (a cough that cut nothing off), gets no answer that nobody asked for."""
    monkeypatch.setattr(gemini_session, "SILENT_S", 0.1)
    session, ear = await make()
    peer.replies = [Reply("We are open until six."), Reply(""), Reply("Good.")]
    await speak(session)
    spoken = await ear.spoken()
    session.interrupted(spoken.utterance_id, "We are", 300)
    await speak(session)
    await ear.until(lambda: len(ear.of("usage")) >= 6)
    session.resumed(spoken.utterance_id)
    await asyncio.sleep(0.2)
    assert not [one for one in peer.received if "clientContent" in one] and not ear.of("failed")
    assert [line.text for line in session.memory.lines() if line.who == "secretary"] == ["We are open until six."]


async def test_an_answer_that_does_not_come_fails_the_provider(make: Open, peer: GeminiPeer) -> None:
    """A silent model is found out in time."""
    session, ear = await make(answer_s="0.1")
    peer.replies = [Reply(delay_s=5)]
    await speak(session)
    assert (await ear.failure())[0] == "unreachable"


@pytest.mark.parametrize(
    "message",
    [
        {"setup": {"model": "m", "speech": {}}},
        {"realtimeInput": {"audio": {"data": "AAAA", "mime": "audio/pcm"}}},
        {"realtimeInput": {"activityStart": {"now": True}}},
        {"toolResponse": {"functionResponses": [{"id": 1}]}},
        {"clientContent": {"turns": "Hello"}},
    ],
)
def test_what_gemini_does_not_know_is_a_fault(message: dict[str, Any]) -> None:
    """The check of the wire can fail."""
    with pytest.raises(WireFault):
        fits(CLIENT, message)
