"""What goes wrong at OpenAI Realtime: each has a reason, and none of it a secret."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
import structlog

from secretary.speech.contract import ProviderError
from secretary.speech.openai_realtime.provider import OpenAIRealtimeProvider
from tests.peers.openai_realtime import OpenAIPeer, Reply
from tests.secretary.speech.realtime.ear import BRIEFING, FRAME, SECRET, Ear, access, speak
from tests.secretary.speech.realtime.openai.conftest import Open


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


async def test_a_model_that_says_nothing_is_asked_again(make: Open, peer: OpenAIPeer) -> None:
    """An answer without a word, or one that a filter took away: asked for once more, and not for ever."""
    session, ear = await make()
    peer.replies = [Reply(""), Reply("Here I am.")]
    await speak(session)
    assert (await ear.spoken()).text == "Here I am."
    peer.replies = [Reply(status="incomplete"), Reply("")]
    await speak(session)
    await peer.until(lambda: len(peer.of("response.create")) == 4)
    await asyncio.sleep(0.05)
    assert len(peer.of("response.create")) == 4 and len(ear.utterances) == 1


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
