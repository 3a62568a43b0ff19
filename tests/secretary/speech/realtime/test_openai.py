"""OpenAI Realtime against a server that speaks it, each message held against OpenAI's own types."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
import structlog

from eslbridge.media.codec import decode, encode
from secretary.speech.contract import ProviderError, ToolCall
from secretary.speech.openai_realtime.provider import OpenAIRealtimeProvider
from secretary.speech.openai_realtime.session import OpenAISession
from tests.peers.openai_realtime import TONE, OpenAIPeer, Reply
from tests.secretary.speech.realtime.ear import BRIEFING, FRAME, HISTORY, SECRET, Ear, access, renewed, speak

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


async def test_a_session_is_set_up_with_all_that_the_call_needs(make: Open, peer: OpenAIPeer) -> None:
    """G.711 both ways, our own turns, the caller's words in the caller's language, the tools, and no key in the URL."""
    await make(lang="pt-br", voice="cedar")
    session = peer.sessions[0]
    assert session["audio"]["input"]["format"] == session["audio"]["output"]["format"] == {"type": "audio/pcmu"}
    assert session["audio"]["input"]["turn_detection"] is None
    assert session["audio"]["input"]["transcription"]["language"] == "pt"
    assert session["audio"]["output"]["voice"] == "cedar"
    assert session["tools"][0]["name"] == "transfer"
    assert "anvils" in session["instructions"] and "Brazilian Portuguese" in session["instructions"]
    assert peer.requests[0].headers["Authorization"] == f"Bearer {SECRET}"
    assert SECRET not in peer.requests[0].path


async def test_a_turn_goes_out_from_before_its_onset_and_is_answered(make: Open, peer: OpenAIPeer) -> None:
    """The caller's turn reaches the model bit by bit, its words come back once, then the answer with sound and text."""
    session, ear = await make()
    peer.replies, peer.caller_says = [Reply("Good morning to you.")], ["Hello there."]
    await speak(session, frames=20)
    spoken = await ear.spoken()
    assert bytes(peer.heard) == encode(FRAME, "PCMU") * 30
    assert spoken.text == "Good morning to you."
    assert spoken.pcm == decode(TONE, "PCMU") * (20 * 60)
    assert ear.of("caller") == [("caller", "Hello there.")]
    assert [event[0] for event in ear.events].index("thinking") < [event[0] for event in ear.events].index("voice")
    await ear.until(lambda: len(ear.of("usage")) == 6)
    assert dict(event[1:] for event in ear.of("usage")) == {
        "input_token": 40,
        "cached_token": 20,
        "audio_input_token": 25,
        "cached_audio_token": 15,
        "output_token": 5,
        "audio_output_token": 25,
    }


async def test_silence_is_not_sent(make: Open, peer: OpenAIPeer) -> None:
    """What nobody says costs nothing: outside of a turn no audio leaves, and what is kept is bounded."""
    session, _ear = await make()
    for _ in range(500):
        session.hear(FRAME)
    session.turn_started()
    await peer.until(lambda: len(peer.heard) >= 55 * 160)
    assert len(peer.heard) == 55 * 160


async def test_words_belong_to_their_sound(make: Open, peer: OpenAIPeer) -> None:
    """A transcript that comes all at once is spread over the sound, in whole words, so that a cut tells the truth."""
    session, ear = await make()
    peer.replies = [Reply("One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen.")]
    await speak(session)
    spoken = await ear.spoken()
    assert spoken.text == "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen."
    seen = ""
    for at, (text, _pcm) in enumerate(spoken.parts[:-1], start=1):
        seen += text
        assert len(seen) <= 15.0 * at * 0.2
    assert len(spoken.parts) > 10


async def test_the_platforms_sentences_are_spoken_with_nothing_else_in_mind(make: Open, peer: OpenAIPeer) -> None:
    """`say` asks for these very words, one sentence after the other; what is not to be kept stays out of the memory."""
    session, ear = await make()
    session.say("Acme, good morning.")
    session.say("This call is recorded.", keep=False)
    await ear.spoken(2)
    assert ear.said() == ["Acme, good morning.", "This call is recorded."]
    first, second = (event["response"] for event in peer.of("response.create"))
    assert first["input"] == second["input"] == []
    assert (first["conversation"], second["conversation"]) == ("auto", "none")
    assert [line.text for line in session.memory.lines()] == ["Acme, good morning."]
    assert not ear.of("thinking")
    assert session.verbatim is False


async def test_a_tool_is_called_and_its_result_brings_the_next_answer(make: Open, peer: OpenAIPeer) -> None:
    """What was said before the tool is complete when it is called; the result goes back and the model goes on."""
    session, ear = await make()
    peer.replies = [Reply("One moment.", tools=[("transfer", {"destination": "Sales"})]), Reply("Sales is busy.")]
    await speak(session)
    call = await ear.tool()
    assert (call.name, call.arguments) == ("transfer", {"destination": "Sales"})
    assert next(iter(ear.utterances.values())).over
    session.tool_result(call.tool_call_id, "busy", "nobody answers")
    await ear.spoken(2)
    (item,) = [event["item"] for event in peer.of("conversation.item.create")]
    assert item["call_id"] == call.tool_call_id
    assert json.loads(item["output"]) == {"outcome": "busy", "detail": "nobody answers"}
    assert ear.said()[1] == "Sales is busy."


async def test_two_tools_at_once_are_answered_once(make: Open, peer: OpenAIPeer) -> None:
    """The model goes on when it has the results of both."""
    session, ear = await make()
    peer.replies = [Reply("", tools=[("transfer", {"destination": "A"}), ("transfer", {"destination": "B"})])]
    await speak(session)
    second = await ear.tool(2)
    session.tool_result(ear.of("tool")[0][1].tool_call_id, "busy")
    session.tool_result(second.tool_call_id, "ok")
    await ear.spoken()
    assert len(peer.of("response.create")) == 2


async def test_a_tool_that_is_done_at_once_waits_for_the_other(make: Open, peer: OpenAIPeer) -> None:
    """One of two tools is refused before the second is even called: still there is one answer, with both results."""
    session, ear = await make()
    peer.replies = [Reply("", tools=[("transfer", {"destination": "A"}), ("transfer", {"destination": "B"})])]
    take = ear.on_tool

    def refuse_the_first(call: ToolCall) -> None:
        take(call)
        if len(ear.of("tool")) == 1:
            session.tool_result(call.tool_call_id, "busy")

    ear.on_tool = refuse_the_first  # type: ignore[method-assign]
    await speak(session)
    second = await ear.tool(2)
    await asyncio.sleep(0.03)
    assert len(peer.of("response.create")) == 1
    session.tool_result(second.tool_call_id, "ok")
    await ear.spoken()
    assert len(peer.of("response.create")) == 2


async def test_arguments_that_are_no_json_are_given_back(make: Open, peer: OpenAIPeer) -> None:
    """The conversation never sees them; the model is told and may mend them."""
    session, ear = await make()
    peer.replies = [Reply("", tools=[("transfer", '{"destination": ')]), Reply("Let me see.")]
    await speak(session)
    await ear.spoken()
    assert not ear.of("tool")
    assert "no JSON" in peer.of("conversation.item.create")[0]["item"]["output"]


async def test_a_tool_taken_back_asks_for_nothing(make: Open, peer: OpenAIPeer) -> None:
    """A caller who spoke into the announcement is answered after the turn, not before."""
    session, ear = await make()
    peer.replies = [Reply("I connect you.", tools=[("transfer", {"destination": "Sales"})])]
    await speak(session)
    call = await ear.tool()
    session.tool_result(call.tool_call_id, "interrupted")
    await peer.until(lambda: peer.of("conversation.item.create"))
    await asyncio.sleep(0.05)
    assert len(peer.of("response.create")) == 1


async def test_an_interruption_cancels_and_truncates_to_what_was_heard(make: Open, peer: OpenAIPeer) -> None:
    """The model's memory ends where the caller stopped hearing, and nothing more of the answer is told."""
    session, ear = await make()
    peer.replies = [Reply("I have a long story about anvils to tell you.", chunk_s=0.02)]
    await speak(session)
    await ear.until(lambda: len(ear.of("voice")) >= 3)
    utterance_id = ear.of("voice")[0][1]
    session.interrupted(utterance_id, "I have", 420)
    told = len(ear.of("voice"))
    (truncated,) = await peer.until(lambda: peer.of("conversation.item.truncate"))
    assert truncated["audio_end_ms"] == 420
    assert peer.of("response.cancel")
    assert len(ear.of("voice")) == told
    assert [line.text for line in session.memory.lines() if line.who == "secretary"] == ["I have"]
    await speak(session)
    assert (await ear.until(lambda: [one for one in ear.utterances.values() if one.over]))[0].text == "Certainly."


async def test_a_whole_utterance_is_not_truncated_beyond_its_end(make: Open, peer: OpenAIPeer) -> None:
    """Heard to the end is not interrupted; a little more than was sent is no error."""
    session, ear = await make()
    await speak(session)
    spoken = await ear.spoken()
    session.interrupted(spoken.utterance_id, spoken.text, spoken.ms + 40)
    session.interrupted("unknown", "", 10)
    await speak(session)
    await ear.spoken(2)
    assert not peer.of("conversation.item.truncate")
    assert not ear.of("failed")


async def test_a_caller_who_goes_on_before_the_answer_gets_one_answer(make: Open, peer: OpenAIPeer) -> None:
    """The answer to half a question is cancelled before it sounds."""
    session, ear = await make()
    peer.replies = [Reply("To the half.", delay_s=0.3), Reply("To the whole.")]
    await speak(session)
    await peer.until(lambda: peer.of("response.create"))
    await speak(session)
    await ear.spoken()
    assert ear.said() == ["To the whole."]
    assert len(ear.of("caller")) == 2


async def test_words_come_in_the_order_of_the_turns(make: Open, peer: OpenAIPeer) -> None:
    """A transcript that overtakes another one waits for it; one that fails is empty."""
    session, ear = await make()
    peer.transcribe = False
    for _ in range(3):
        await speak(session)
    await peer.until(lambda: len(peer.of("input_audio_buffer.commit")) == 3)
    await peer.until(lambda: len([m for m in peer.sent if m["type"] == "input_audio_buffer.committed"]) == 3)
    first, second, third = [m["item_id"] for m in peer.sent if m["type"] == "input_audio_buffer.committed"]
    await peer.transcribed(second, "Two.")
    await peer.transcribed(third, "Three.")
    failed = "conversation.item.input_audio_transcription.failed"
    await peer.event(failed, item_id=first, content_index=0, error={"type": "server_error", "code": "x", "message": ""})
    await ear.until(lambda: len(ear.of("caller")) == 3)
    assert [text for _kind, text in ear.of("caller")] == ["", "Two.", "Three."]


async def test_words_that_never_come_are_not_waited_for(
    make: Open, peer: OpenAIPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each turn is told once, if need be without words."""
    monkeypatch.setattr("secretary.speech.realtime.session.PATIENCE_S", 0.1)
    session, ear = await make()
    peer.transcribe = False
    await speak(session)
    await ear.until(lambda: ear.of("caller") == [("caller", "")])


async def test_the_servers_own_turn_detection(make: Open, peer: OpenAIPeer) -> None:
    """Left to it, it hears everything, tells beginning and end, and answers by itself; it never interrupts."""
    session, ear = await make(turns="semantic_vad")
    assert session.detects_turns
    detection = peer.sessions[0]["audio"]["input"]["turn_detection"]
    assert (detection["type"], detection["interrupt_response"]) == ("semantic_vad", False)
    for _ in range(50):
        session.hear(FRAME)
    session.turn_ended(FRAME)
    await peer.until(lambda: len(peer.heard) == 50 * 160)
    await peer.caller_turn()
    await ear.spoken()
    assert [event[0] for event in ear.events if event[0] in ("started", "stopped", "caller")] == [
        "started",
        "stopped",
        "caller",
    ]
    assert not peer.of("input_audio_buffer.commit") and not peer.of("response.create")


async def test_keys_are_told_as_one_number(make: Open, peer: OpenAIPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Digits are collected until a pause or a hash, and the model answers to them."""
    monkeypatch.setattr("secretary.speech.realtime.session.DIGITS_S", 0.05)
    session, ear = await make()
    for digit in "42":
        session.dtmf(digit)
    await ear.spoken()
    (item,) = [event["item"] for event in peer.of("conversation.item.create")]
    assert item["content"][0]["text"].endswith("4 2")


async def test_a_provider_that_takes_over_knows_what_was_said(make: Open, peer: OpenAIPeer) -> None:
    """The history is there before the first turn, each line in its role."""
    session, ear = await make(history="yes")
    await speak(session)
    await ear.spoken()
    roles = [(e["item"]["role"], e["item"]["content"][0]["text"]) for e in peer.of("conversation.item.create")]
    assert roles == [("user", "Sales please."), ("assistant", "Sales is busy. Anything else?")]
    kinds = [message["type"] for message in peer.received]
    assert kinds.index("conversation.item.create") < kinds.index("input_audio_buffer.append")


@pytest.mark.parametrize(
    ("status", "kind"), [(401, "auth"), (403, "auth"), (429, "rate_limited"), (503, "unreachable"), (404, "refused")]
)
async def test_a_refused_connection_has_a_reason(peer: OpenAIPeer, status: int, kind: str) -> None:
    """What the handshake's status means is told apart, and no secret is."""
    peer.refuse_with = status
    session = OpenAIRealtimeProvider().session(BRIEFING, access(peer.url))
    with pytest.raises(ProviderError) as caught:
        await session.open(Ear())
    assert caught.value.kind == kind
    assert SECRET not in str(caught.value)
    await session.close()


@pytest.mark.parametrize(
    ("code", "kind"),
    [("invalid_api_key", "auth"), ("rate_limit_exceeded", "rate_limited"), ("model_not_found", "refused")],
)
async def test_a_refused_session_has_a_reason(peer: OpenAIPeer, code: str, kind: str) -> None:
    """An error in answer to the set-up fails the opening, by its code; the vendor's text stays outside."""
    peer.refusal = {"type": "invalid_request_error", "code": code, "message": f"key {SECRET}"}
    session = OpenAIRealtimeProvider().session(BRIEFING, access(peer.url))
    with pytest.raises(ProviderError) as caught:
        await session.open(Ear())
    assert (caught.value.kind, SECRET in str(caught.value)) == (kind, False)
    await session.close()


async def test_opening_has_a_deadline(peer: OpenAIPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes the connection and says nothing is given up in time."""
    monkeypatch.setattr("secretary.speech.realtime.lasting.OPEN_S", 0.1)
    peer.silent = True
    session = OpenAIRealtimeProvider().session(BRIEFING, access(peer.url))
    with pytest.raises(ProviderError) as caught:
        await session.open(Ear())
    assert caught.value.kind == "unreachable"
    await session.close()


async def test_a_server_that_confirms_nothing_is_spoken_to(peer: OpenAIPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compatible one may only say that it is there."""
    monkeypatch.setattr("secretary.speech.openai_realtime.session.CONFIRM_S", 0.05)
    peer.confirms = False
    session, ear = OpenAIRealtimeProvider().session(BRIEFING, access(peer.url)), Ear()
    await session.open(ear)
    session.say("Hello.")
    assert (await ear.spoken()).text == "Hello."
    await session.close()


async def test_the_servers_own_end_of_the_session_counts(peer: OpenAIPeer) -> None:
    """Where it says when it ends the session, that is sooner than what is known here."""
    peer.expires_at = int(time.time()) + 2
    session, ear = OpenAIRealtimeProvider().session(BRIEFING, access(peer.url)), Ear()
    await session.open(ear)
    assert session.lifetime_s is not None and session.lifetime_s < 3
    await session.close()


async def test_a_tenants_address_is_judged(peer: OpenAIPeer) -> None:
    """An internal address that a tenant gives is not connected to."""
    session = OpenAIRealtimeProvider().session(BRIEFING, replace(access(peer.url), guarded=True))
    with pytest.raises(ProviderError) as caught:
        await session.open(Ear())
    assert caught.value.kind == "refused"
    assert not peer.requests
    await session.close()


@pytest.mark.parametrize(("code", "kind"), [(1011, "unreachable"), (1008, "refused"), (1013, "rate_limited")])
async def test_a_lost_connection_is_told_once(make: Open, peer: OpenAIPeer, code: int, kind: str) -> None:
    """The conversation hears of it at once, with the kind, and never again."""
    _session, ear = await make()
    await peer.close(code, f"because of {SECRET}")
    assert (await ear.failure())[0] == kind
    await asyncio.sleep(0.02)
    assert len(ear.of("failed")) == 1


async def test_garbage_ends_the_session(make: Open, peer: OpenAIPeer) -> None:
    """A server that speaks something else is left, with nothing quoted of it."""
    _session, ear = await make()
    await peer.raw("{not json")
    assert (await ear.failure())[0] == "protocol"


async def test_events_that_are_not_known_are_passed_over(make: Open, peer: OpenAIPeer) -> None:
    """New events of the vendor, and those that we do not need, break nothing."""
    session, ear = await make()
    await peer.raw(json.dumps({"type": "response.sparkles", "event_id": "x"}))
    await peer.event("rate_limits.updated", rate_limits=[{"name": "tokens", "remaining": 0}])
    await speak(session)
    await ear.spoken()


async def test_a_failed_response_is_tried_once_more(make: Open, peer: OpenAIPeer) -> None:
    """A fault of the moment goes unnoticed; a second one fails the provider."""
    session, ear = await make()
    fault = {"type": "server_error", "code": "server_error", "message": SECRET}
    peer.replies = [Reply(status="failed", error=fault), Reply("Here I am.")]
    await speak(session)
    assert (await ear.spoken()).text == "Here I am."
    peer.replies = [Reply(status="failed", error=fault), Reply(status="failed", error=fault)]
    await speak(session)
    assert (await ear.failure())[0] == "unreachable"


async def test_a_rate_limit_fails_at_once(make: Open, peer: OpenAIPeer) -> None:
    """The caller does not wait for a provider that has enough of us."""
    session, ear = await make()
    peer.replies = [Reply(status="failed", error={"type": "tokens", "code": "rate_limit_exceeded"})]
    await speak(session)
    assert (await ear.failure())[0] == "rate_limited"
    assert len(peer.of("response.create")) == 1


async def test_an_answer_that_does_not_come_fails_the_provider(make: Open, peer: OpenAIPeer) -> None:
    """A silent model is found out before the caller has to be asked whether they are there."""
    session, ear = await make(answer_s="0.1")
    peer.replies = [Reply(delay_s=5)]
    await speak(session)
    assert (await ear.failure())[0] == "unreachable"


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


async def test_closing_is_quick_and_final(make: Open, peer: OpenAIPeer) -> None:
    """Within a second, twice without harm, in the middle of an answer, and nothing is told after it."""
    session, ear = await make()
    peer.replies = [Reply("A long story that goes on.", chunk_s=0.05)]
    await speak(session)
    await ear.until(lambda: ear.of("voice"))
    async with asyncio.timeout(1.0):
        await session.close()
        await session.close()
    told = len(ear.events)
    session.hear(FRAME)
    session.say("Hello?")
    session.turn_started()
    session.turn_ended(FRAME)
    session.tool_result("x", "ok")
    await asyncio.sleep(0.1)
    assert len(ear.events) == told


async def test_a_turn_that_is_noticed_when_it_is_over_is_sent_whole(make: Open, peer: OpenAIPeer) -> None:
    """A word spoken into the secretary's voice is proven to be a turn by its end: nothing of it may be missing."""
    session, ear = await make()
    for _ in range(200):
        session.hear(FRAME)
    session.turn_started()
    session.turn_ended(FRAME * 120)
    await ear.spoken()
    assert len(peer.heard) == 120 * 160


async def test_tenants_never_meet(peer: OpenAIPeer) -> None:
    """Two tenants' calls at one server: each with its own key, prompt and words, and the end of one ends one."""
    acme = OpenAIRealtimeProvider().session(BRIEFING, access(peer.url, api_key="key-of-acme"))
    globex_briefing = replace(BRIEFING, domain_uuid="globex", secretary_name="Bia", prompt="We sell lasers.")
    globex = OpenAIRealtimeProvider().session(globex_briefing, access(peer.url, api_key="key-of-globex"))
    ears = Ear(), Ear()
    await acme.open(ears[0])
    await globex.open(ears[1])
    assert [request.headers["Authorization"] for request in peer.requests] == [
        "Bearer key-of-acme",
        "Bearer key-of-globex",
    ]
    first, second = (session["instructions"] for session in peer.sessions)
    assert "anvils" in first and "lasers" not in first
    assert "lasers" in second and "anvils" not in second
    acme.memory.caller("Secret of Acme.")
    assert not globex.memory.lines()
    await acme.close()
    await peer.event("conversation.created", conversation={"id": "c"})
    globex.say("Globex, good morning.")
    await ears[1].spoken()
    assert not ears[0].events
    await globex.close()


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


async def test_a_model_that_goes_in_circles_is_left(make: Open, peer: OpenAIPeer) -> None:
    """Tool after tool without end: at some point somebody else has to talk to the caller."""
    session, ear = await make()
    peer.replies = [Reply("", tools=[("transfer", {"destination": str(number)}) for number in range(60)])]
    await speak(session)
    assert (await ear.failure())[0] == "protocol"
    assert len(ear.of("tool")) == 40


async def test_a_conversation_that_breaks_in_a_timer_is_not_left_in_silence(make: Open, peer: OpenAIPeer) -> None:
    """What nobody waits for fails the provider all the same."""
    session, ear = await make()

    def broken() -> None:
        raise LookupError

    session._after("broken", 0.0, broken)
    assert (await ear.failure())[0] == "protocol"


@pytest.mark.parametrize("url", ["http://[", "nonsense", "ftp://host/x"])
async def test_what_is_no_address_is_refused(url: str) -> None:
    """When it opens, with a reason; not when the session is made."""
    session = OpenAIRealtimeProvider().session(BRIEFING, access(url))
    with pytest.raises(ProviderError):
        await session.open(Ear())
    await session.close()


async def test_no_log_has_a_secret_or_a_word_of_the_caller(make: Open, peer: OpenAIPeer) -> None:
    """Whatever the server says while it breaks, and whatever was said before."""
    with structlog.testing.capture_logs() as logs:
        for ending in range(3):
            session, ear = await make()
            peer.caller_says = ["My number is 12345."]
            await speak(session)
            await ear.spoken()
            if ending == 0:
                await peer.close(1011, f"about {SECRET}")
            elif ending == 1:
                await peer.raw(f'{{"type": "error", "error": "{SECRET} 12345"}}')
            else:
                await peer.error("server_error", kind="server_error")
            await ear.failure()
    assert logs
    assert SECRET not in str(logs) and "12345" not in str(logs)
