"""A pipeline in a call, against stand-ins that are real servers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pytest_django import Settings

from secretary.speech.contract import ProviderError, Said, ToolCall
from secretary.speech.pipeline import session as session_module
from secretary.speech.pipeline.words import words
from tests.peers.deepgram_listen import DeepgramPeer
from tests.peers.web import Reply, Request, breaks, garbage, hangs, refuses
from tests.secretary.speech.pipeline.conftest import ACME, FRAME, TURN, Stage

SORRY = words("en").not_caught


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_turn(stage: Stage) -> None:
    """The caller's words are told, the model thinks, its sentences are spoken in order as one utterance."""
    stage.chat.then(stage.chat.says("Of course. One mo", "ment please. I will look", " that up for you."))
    await stage.call()
    stage.turn()
    await stage.listener.until_finished()
    assert stage.listener.kinds == ["caller", "thinking", "voice"]
    assert stage.listener.said == {"answer-1": "Of course. One moment please. I will look that up for you."}
    assert stage.speech.texts == ["Of course. One moment please.", "I will look that up for you."]
    spoken = len("".join(stage.speech.texts)) * 60 / 1000
    assert len(stage.listener.sound["answer-1"]) / 16_000 == pytest.approx(spoken, abs=0.01)
    assert stage.chat.requests[0].json["messages"][1:] == [
        {"role": "user", "content": "I would like to speak to sales, please."}
    ]
    assert stage.listener.usage == {"stt_second": 1.2, "input_token": 120, "output_token": 20, "character": 57}
    keys = [peer.requests[0].headers["authorization"] for peer in (stage.stt, stage.chat, stage.speech)]
    assert keys == ["Bearer sk-stt", "Bearer sk-llm", "Bearer sk-tts"]


async def test_speaks_while_the_rest_is_being_written(stage: Stage) -> None:
    """The first sentence is heard although the model never comes to the second; its silence is then a failure."""
    stage.chat.then(stage.chat.says("The first sentence is whole. ", "The second", then_hang=True))
    await stage.call(llm_timeout="0.6")
    stage.turn()
    await stage.listener.until_said("The first sentence is whole.")
    await stage.listener.until(lambda: "failed" in stage.listener.kinds)
    kind, reason = stage.listener.heard[-1][1]  # type: ignore[misc]
    assert (kind, "language model (openai)" in reason, "sk-" in reason) == ("unreachable", True, False)


async def test_a_sentence_at_a_pause(stage: Stage) -> None:
    """A whole sentence does not wait for the word that would prove its end."""
    stage.chat.then(stage.chat.says("I am looking that up.", " Here it is.", pause_s=0.5))
    await stage.call()
    stage.turn()
    await stage.listener.until_said("looking that up.")
    assert len(stage.speech.requests) == 1
    await stage.listener.until_finished()


async def test_the_next_sentence_is_made_meanwhile(stage: Stage) -> None:
    """While one sentence is handed over the next is made, and not more than that."""
    going: list[int] = []

    async def slow(request: Request, reply: Reply) -> None:
        going.append(1)
        await asyncio.sleep(0.05)
        await reply.start(200, "audio/pcm")
        await reply.send(bytes(480))
        most.append(len(going))
        await asyncio.sleep(0.1)
        await reply.end()
        going.pop()

    most: list[int] = []
    stage.speech.then(*[slow] * 5)
    stage.chat.then(stage.chat.says(*(f"This is sentence {n} of five. " for n in "abcde")))
    await stage.call()
    stage.turn()
    await stage.listener.until_finished()
    assert max(most) == 2
    assert list(stage.listener.said.values()) == [" ".join(f"This is sentence {n} of five." for n in "abcde")]


async def test_not_far_ahead_of_the_ear(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """With enough to listen to, no further sentence is made: a caller who interrupts would not hear it."""
    monkeypatch.setattr("secretary.speech.pipeline.speaker.AHEAD_S", 2.0)
    stage.chat.then(stage.chat.says(*(f"This is sentence {n} out of many more. " for n in "abcdefgh")))
    await stage.call()
    stage.turn()
    await stage.listener.until(lambda: len(stage.speech.requests) == 3)
    await asyncio.sleep(0.1)
    assert len(stage.speech.requests) == 3


async def test_a_pause_ends_an_utterance(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing comes, for whatever reason, no utterance is open: sound that does not come would be a failure.

    What comes then is another utterance of the same line; the platform may speak in between.
    """
    monkeypatch.setattr("secretary.speech.pipeline.speaker.PAUSE_S", 0.05)
    stage.chat.then(stage.chat.says("Here is the first part. ", "And here is the second one.", pause_s=0.4))
    session = await stage.call()
    stage.turn()
    await stage.listener.until_finished()
    session.say("One moment.", keep=False)
    await stage.listener.until_finished(3)
    assert list(stage.listener.said.values()) == [
        "Here is the first part.",
        "One moment.",
        "And here is the second one.",
    ]
    stage.turn()
    await stage.listener.until_finished(4)
    assert stage.chat.requests[1].json["messages"][2]["content"] == (
        "Here is the first part. And here is the second one."
    )


async def test_parts_carry_the_words_that_sound_in_them(stage: Stage) -> None:
    """What was heard of a sentence can be told while the rest of its sound is still to come."""
    stage.speech.pieces, stage.speech.spread_s = 8, 0.02
    text = "This sentence has some twenty words in it so that its parts can be told one from the other easily."
    stage.chat.then(stage.chat.says(text))
    await stage.call()
    stage.turn()
    await stage.listener.until_finished()
    parts = [what for kind, what in stage.listener.heard if kind == "voice"]
    assert " ".join(part[1] for part in parts if part[1]) == text  # type: ignore[index]
    spoken = sound = 0
    for _, words_of_part, size, last in parts[:-3]:  # type: ignore[misc]
        spoken, sound = spoken + len(words_of_part) + 1, sound + size
        assert abs(spoken - sound / 16 / 60) < 15 and not last


async def test_interrupted(stage: Stage) -> None:
    """Everything stops at once, also at the services; the model is told what was heard and no more."""

    async def endless(request: Request, reply: Reply) -> None:
        await reply.start(200, "audio/pcm")
        await reply.send(bytes(9600))
        await reply.hang()

    stage.speech.then(stage.speech.usual, endless)
    stage.chat.then(stage.chat.says("Our office is in the centre of town. ", "You can come by bus or by train."))
    session = await stage.call()
    stage.turn()
    await stage.listener.until_said("You can come")
    session.interrupted("answer-1", "Our office is in", 800)
    session.turn_started()
    said = len(stage.listener.heard)
    await asyncio.sleep(0.1)
    assert len(stage.listener.heard) == said
    assert stage.speech.requests[-1].cut
    stage.stt.then(stage.stt.hears("And what about parking?"))
    session.turn_ended(bytes(9600))
    await stage.listener.until_finished()
    assert stage.chat.requests[1].json["messages"][2:] == [
        {"role": "assistant", "content": "Our office is in…"},
        {"role": "user", "content": "And what about parking?"},
    ]


async def test_an_answer_that_was_cut_off_costs_all_the_same(stage: Stage) -> None:
    """Where the service could not count the tokens any more, about so many are told."""
    stage.chat.then(stage.chat.says("A first sentence that is whole. ", "And", then_hang=True))
    session = await stage.call()
    stage.turn()
    await stage.listener.until_said("whole.")
    session.interrupted("answer-1", "A first", 300)
    await stage.listener.until(lambda: "output_token" in stage.listener.usage)
    assert stage.listener.usage["output_token"] == 8 and stage.listener.usage["input_token"] > 100


async def test_interrupted_while_thinking(stage: Stage) -> None:
    """A caller who goes on before the answer has both turns answered together, once."""
    stage.chat.then(hangs)
    stage.stt.then(stage.stt.hears("I have a question."), stage.stt.hears("About my bill."))
    await stage.call()
    stage.turn()
    await stage.listener.until(lambda: stage.chat.requests)
    stage.turn()
    await stage.listener.until_finished()
    assert [what for kind, what in stage.listener.heard if kind == "caller"] == ["I have a question.", "About my bill."]
    assert [message["content"] for message in stage.chat.requests[1].json["messages"][1:]] == [
        "I have a question.",
        "About my bill.",
    ]
    assert stage.chat.requests[0].cut


async def test_words_come_in_the_order_of_the_turns(stage: Stage) -> None:
    """A turn that is understood more slowly keeps its place; only the last one is answered."""
    stage.stt.then(stage.stt.hears("One.", delay_s=0.15), stage.stt.hears("Two."))
    await stage.call()
    stage.turn()
    stage.turn()
    await stage.listener.until_finished()
    assert [what for kind, what in stage.listener.heard if kind == "caller"] == ["One.", "Two."]
    assert len(stage.chat.requests) == 1


async def test_a_tool(stage: Stage) -> None:
    """What is said before a tool is handed over before it; its result goes on with the model."""
    stage.chat.then(
        stage.chat.says("I will see who is there.", calls=(("check_available", '{"who": "sales"}'),)),
        stage.chat.says("Sales is free now."),
    )
    session = await stage.call()
    stage.turn()
    await stage.listener.until(stage.listener.tools)
    (call,) = stage.listener.tools()
    assert stage.listener.kinds == ["caller", "thinking", "voice", "tool"] and stage.listener.finished()
    assert (call.name, call.arguments) == ("check_available", {"who": "sales"})
    session.tool_result(call.tool_call_id, "ok", "free")
    await stage.listener.until_said("Sales is free now.")
    assert stage.chat.requests[1].json["messages"][2:] == [
        {
            "role": "assistant",
            "content": "I will see who is there.",
            "tool_calls": [
                {
                    "id": call.tool_call_id,
                    "type": "function",
                    "function": {"name": "check_available", "arguments": '{"who": "sales"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": call.tool_call_id, "content": "ok: free"},
    ]


async def test_tools_side_by_side(stage: Stage) -> None:
    """Parallel calls run together; the one that takes the caller away comes after all others."""
    wanted = (("transfer", '{"destination_uuid": "u-sales"}'), ("check_available", "{}"), ("business_info", "{}"))
    stage.chat.then(stage.chat.says(calls=wanted), stage.chat.says("Nobody answers there."))
    session = await stage.call()
    stage.turn()
    await stage.listener.until(lambda: len(stage.listener.tools()) == 2)
    first, second = stage.listener.tools()
    assert [first.name, second.name] == ["check_available", "business_info"]
    session.tool_result(second.tool_call_id, "ok")
    session.tool_result(first.tool_call_id, "ok")
    await stage.listener.until(lambda: len(stage.listener.tools()) == 3)
    session.tool_result(stage.listener.tools()[2].tool_call_id, "no_answer")
    await stage.listener.until_said("Nobody answers there.")
    results = stage.chat.requests[1].json["messages"][3:]
    assert [result["content"] for result in results] == ["no_answer", "ok", "ok"]


async def test_a_tool_that_is_answered_at_once(stage: Stage) -> None:
    """The conversation may refuse a tool from inside the call of it."""
    session = await stage.call()
    stage.listener.answer_tools = lambda call: session.tool_result(call.tool_call_id, "busy")
    stage.chat.then(stage.chat.says(calls=(("check_available", "{}"),)), stage.chat.says("Please hold on."))
    stage.turn()
    await stage.listener.until_said("Please hold on.")


async def test_what_a_model_invents(stage: Stage) -> None:
    """Unknown tools and broken arguments go back to the model and never reach the platform."""
    stage.chat.then(
        stage.chat.says(calls=(("delete_everything", "{}"), ("check_available", '{"who": '))),
        stage.chat.says("I am sorry about that."),
    )
    await stage.call()
    stage.turn()
    await stage.listener.until_said("I am sorry about that.")
    assert not stage.listener.tools()
    results = [message["content"] for message in stage.chat.requests[1].json["messages"] if message["role"] == "tool"]
    assert results == ["unknown: there is no tool named delete_everything", "invalid: the arguments are no JSON object"]


async def test_a_tool_taken_back(stage: Stage) -> None:
    """A caller who objects to a transfer is listened to: the model is not asked before the caller has spoken."""
    stage.chat.then(stage.chat.says("I put you through.", calls=(("transfer", "{}"),)), stage.chat.says("All right."))
    session = await stage.call()
    stage.turn()
    await stage.listener.until(stage.listener.tools)
    session.interrupted("answer-1", "I put", 300)
    session.tool_result(stage.listener.tools()[0].tool_call_id, "interrupted")
    session.turn_started()
    await asyncio.sleep(0.05)
    assert len(stage.chat.requests) == 1
    stage.stt.then(stage.stt.hears("No, wait."))
    session.turn_ended(bytes(9600))
    await stage.listener.until_said("All right.")
    assert [message["role"] for message in stage.chat.requests[1].json["messages"]] == [
        "system",
        "user",
        "assistant",
        "tool",
        "user",
    ]


async def test_a_slow_tool_and_an_impatient_caller(stage: Stage) -> None:
    """A caller who speaks while a tool works is answered; its result, when it comes, is told as well."""
    stage.chat.then(
        stage.chat.says(calls=(("business_info", "{}"),)),
        stage.chat.says("I am still looking."),
        stage.chat.says("We open at nine."),
    )
    session = await stage.call()
    stage.turn()
    await stage.listener.until(stage.listener.tools)
    stage.turn()
    await stage.listener.until_said("I am still looking.")
    assert "still running" in stage.chat.requests[1].json["messages"][3]["content"]
    await stage.listener.until_finished()
    session.tool_result(stage.listener.tools()[0].tool_call_id, "ok", "9 to 5")
    await stage.listener.until_said("We open at nine.")
    assert stage.chat.requests[2].json["messages"][3]["content"] == "ok: 9 to 5"


async def test_a_cough_while_a_tool_works(stage: Stage) -> None:
    """The caller hears something, the model is not asked for nothing, and the result is told when it comes."""
    stage.chat.then(stage.chat.says(calls=(("business_info", "{}"),)), stage.chat.says("We open at nine."))
    stage.stt.then(stage.stt.hears("When do you open?"), stage.stt.hears(""))
    session = await stage.call()
    stage.turn()
    await stage.listener.until(stage.listener.tools)
    stage.turn()
    await stage.listener.until_said(SORRY)
    assert len(stage.chat.requests) == 1
    session.tool_result(stage.listener.tools()[0].tool_call_id, "ok", "9")
    await stage.listener.until_said("We open at nine.")


async def test_rounds_are_bounded(stage: Stage) -> None:
    """A model that uses tools without end is stopped, and the caller hears something."""
    session = await stage.call()
    stage.listener.answer_tools = lambda call: session.tool_result(call.tool_call_id, "ok")
    stage.chat.then(*[stage.chat.says(calls=(("check_available", "{}"),))] * 10)
    stage.turn()
    await stage.listener.until_said(words("en").cannot)
    assert len(stage.chat.requests) == session_module.MOST_ROUNDS


async def test_the_platforms_sentences(stage: Stage) -> None:
    """Spoken to the letter, made once for all calls, and remembered unless they are only said."""
    session = await stage.call()
    session.say(ACME.greeting)
    await stage.listener.until_finished()
    session.say("One moment.", keep=False)
    await stage.listener.until_finished(2)
    assert list(stage.listener.said.values()) == [ACME.greeting, "One moment."]
    stage.turn()
    await stage.listener.until_finished(3)
    assert [message["content"] for message in stage.chat.requests[0].json["messages"][1:]] == [
        ACME.greeting,
        "I would like to speak to sales, please.",
    ]
    await session.close()
    made = len(stage.speech.requests)
    again = await stage.call()
    again.say(ACME.greeting)
    await stage.listener.until_finished(4)
    assert len(stage.speech.requests) == made


async def test_a_prepared_greeting(stage: Stage) -> None:
    """What was prepared is said without asking the service, and only where the same key and voice would say it."""
    await stage.provider.prepare(ACME, stage.access())
    assert stage.speech.texts == [ACME.greeting]
    session = await stage.call()
    session.say(ACME.greeting)
    await stage.listener.until_finished()
    assert len(stage.speech.requests) == 1
    await session.close()
    stranger = await stage.call(replace(ACME, domain_uuid="b"), tts_key="sk-of-b")
    stranger.say(ACME.greeting)
    await stage.listener.until_finished(2)
    assert stage.speech.requests[1].headers["authorization"] == "Bearer sk-of-b"


async def test_the_platform_takes_the_floor(stage: Stage) -> None:
    """A sentence of the platform ends what is being said; utterances never mix."""
    stage.speech.spread_s = 0.05
    stage.chat.then(stage.chat.says("Here is a long story. ", "It goes on and on and on. ", "And on."))
    session = await stage.call()
    stage.turn()
    await stage.listener.until_said("Here is")
    session.say("Our time is up. Goodbye.")
    await stage.listener.until_said("Goodbye.")
    order = [what[0] for kind, what in stage.listener.heard if kind == "voice"]  # type: ignore[index]
    assert sorted(order) == order and set(order) == {"answer-1", "say-2"}
    assert "answer-1" in stage.listener.finished()


async def test_a_filler_while_thinking(stage: Stage) -> None:
    """A sentence of the platform does not stop what is only thought about."""
    stage.chat.then(stage.chat.says("Here I am.", delay_s=0.2))
    session = await stage.call()
    stage.turn()
    await stage.listener.until(lambda: stage.chat.requests)
    session.say("One moment, please.", keep=False)
    await stage.listener.until_said("Here I am.")
    assert list(stage.listener.said.values()) == ["One moment, please.", "Here I am."]


async def test_a_turn_without_words(stage: Stage) -> None:
    """The caller is asked again; a model is not asked what it makes of nothing."""
    stage.stt.then(stage.stt.hears(" [BLANK_AUDIO] "))
    await stage.call()
    stage.turn()
    await stage.listener.until_said(SORRY)
    assert stage.listener.heard[0] == ("caller", "") and not stage.chat.requests


async def test_a_cough_into_the_answer(stage: Stage) -> None:
    """An answer that a noise cut off goes on; one that it came before is given after all."""

    async def endless(request: Request, reply: Reply) -> None:
        await reply.start(200, "audio/pcm")
        await reply.send(bytes(48_000))
        await reply.hang()

    stage.speech.then(endless)
    stage.chat.then(hangs, stage.chat.says("We are open until six."), stage.chat.says("Until six, as I said."))
    stage.stt.then(stage.stt.hears("Until when?"), stage.stt.hears(""), stage.stt.hears("[cough]"))
    session = await stage.call()
    stage.turn()
    await stage.listener.until(lambda: stage.chat.requests)
    stage.turn()
    await stage.listener.until_said("We are open")
    session.interrupted("answer-2", "We are open", 500)
    stage.turn()
    await stage.listener.until_said("as I said.")
    told = [message["content"] for message in stage.chat.requests[2].json["messages"][1:]]
    assert told == ["Until when?", "We are open…", words("en").go_on]


async def test_a_cough_that_cut_nothing_off(stage: Stage) -> None:
    """Where the conversation goes on with the voice by itself, the model knows that all of it was heard."""
    stage.stt.then(stage.stt.hears("Until when?"), stage.stt.hears("Uh-huh."), stage.stt.hears("Thanks."))
    stage.chat.then(stage.chat.says("We are open until six."), stage.chat.says("Good."), stage.chat.says("Goodbye."))
    session = await stage.call()
    stage.turn()
    await stage.listener.until_finished()
    session.interrupted("answer-1", "We are", 300)
    stage.turn()
    await stage.listener.until_said("Good.")
    session.interrupted("answer-2", "", 0)
    stage.turn()
    await stage.listener.until_said("Goodbye.")
    told = [message["content"] for message in stage.chat.requests[2].json["messages"][1:]]
    assert told == ["Until when?", "We are open until six.", "Uh-huh.", "Thanks."]


async def test_a_model_with_nothing_to_say(stage: Stage) -> None:
    """It is asked once more; then the secretary says something of its own."""
    stage.chat.then(stage.chat.says(), stage.chat.says())
    await stage.call()
    stage.turn()
    await stage.listener.until_said(words("en").silent_model)
    assert len(stage.chat.requests) == 2


async def test_a_model_that_refuses(stage: Stage) -> None:
    """The caller is told so."""
    stage.chat.then(stage.chat.says(finish="content_filter"))
    await stage.call()
    stage.turn()
    await stage.listener.until_said(words("en").cannot)


async def test_keys(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys go to the model together, when the caller has finished."""
    monkeypatch.setattr(session_module, "KEYS_S", 0.05)
    session = await stage.call()
    for digit in "123":
        session.dtmf(digit)
    await stage.listener.until_finished()
    assert stage.chat.requests[0].json["messages"][-1]["content"] == words("en").keys.format(digits="1 2 3")
    session.dtmf("#")
    await stage.listener.until_finished(2)


async def test_takes_over_in_mid_call(stage: Stage) -> None:
    """What was said before goes to the model; Portuguese is spoken where the secretary does."""
    history = (Said("secretary", "Bom dia."), Said("caller", "Quero falar com vendas."))
    await stage.call(replace(ACME, language="pt-br", history=history, instructions=""))
    stage.turn()
    await stage.listener.until_finished()
    system, *told = stage.chat.requests[0].json["messages"]
    assert "Ana" in system["content"] and "português" in system["content"]
    assert [message["role"] for message in told] == ["assistant", "user", "user"]
    assert b'name="language"\r\n\r\npt\r\n' in stage.stt.requests[0].body


async def test_the_caller_changes_language(stage: Stage) -> None:
    """Where the recogniser finds it out, the conversation is told and the voice follows."""
    stage.stt.then(stage.stt.hears("Bom dia, tudo bem?", languages=[{"code": "pt"}]))
    await stage.call(stt_language="auto", tts_voice_en="alloy", tts_voice_pt_br="clara")
    stage.turn()
    await stage.listener.until_finished()
    assert ("language", "pt-br") in stage.listener.heard
    assert stage.speech.requests[0].json["voice"] == "clara"
    assert b'name="language"' not in stage.stt.requests[0].body


@pytest.mark.parametrize("peer", ["stt", "chat", "speech"])
@pytest.mark.parametrize(
    ("steps", "kind"),
    [
        ((refuses(401, {"error": {"message": "Incorrect API key sk-llm", "code": "invalid_api_key"}}),), "auth"),
        ((refuses(429, Retry_After="30"),), "rate_limited"),
        ((refuses(429, {"error": {"code": "insufficient_quota"}}),), "refused"),
        ((refuses(500), refuses(503)), "unreachable"),
        ((refuses(404),), "refused"),
        ((breaks, breaks), "unreachable|protocol"),
        ((garbage(),), "protocol"),
        ((hangs,), "unreachable"),
    ],
)
async def test_failures(stage: Stage, peer: str, steps: tuple[object, ...], kind: str) -> None:
    """Whatever a service does, the conversation hears why, soon, once, and without the key."""
    getattr(stage, peer).then(*steps)
    impatient = {"stt": "stt", "chat": "llm", "speech": "tts"}[peer] if hangs in steps else ""
    await stage.call(**({f"{impatient}_timeout": "0.4"} if impatient else {}))
    stage.turn()
    await stage.listener.until(lambda: "failed" in stage.listener.kinds)
    failures = [what for told, what in stage.listener.heard if told == "failed"]
    ((failed_kind, reason),) = failures  # type: ignore[misc]
    assert failed_kind in kind.split("|"), reason
    assert "sk-" not in reason and "html" not in reason.replace("text/html", "")
    assert not getattr(stage, peer).script


@pytest.mark.parametrize("peer", ["stt", "chat", "speech"])
@pytest.mark.parametrize(
    "step",
    [
        refuses(500),
        refuses(429, Retry_After="0"),
        refuses(529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
        breaks,
    ],
)
async def test_once_more(stage: Stage, peer: str, step: object) -> None:
    """A single hiccup before anything was said is not noticed."""
    getattr(stage, peer).then(step)
    await stage.call()
    stage.turn()
    await stage.listener.until_finished()
    assert "failed" not in stage.listener.kinds
    assert len(getattr(stage, peer).requests) == 2


async def test_broken_off_in_mid_answer(stage: Stage) -> None:
    """What was said is not said again: the failure goes to the conversation."""
    stage.chat.then(stage.chat.says("The first sentence is whole. And", then_break=True))
    await stage.call()
    stage.turn()
    await stage.listener.until(lambda: "failed" in stage.listener.kinds)
    assert len(stage.chat.requests) == 1


async def test_connections_are_kept(stage: Stage) -> None:
    """Calls of one node share connections to a service; tenants with different keys do not."""
    for _ in range(3):
        session = await stage.call()
        stage.turn()
        await stage.listener.until_finished()
        stage.listener.forget()
        await session.close()
    assert {request.connection for request in stage.chat.requests} <= {1, 2}
    await stage.call(llm_key="sk-of-b")
    stage.turn()
    await stage.listener.until_finished()
    assert stage.chat.requests[-1].connection not in {request.connection for request in stage.chat.requests[:-1]}


async def test_closing(stage: Stage) -> None:
    """Within a second, twice, in the middle of everything; nothing is said afterwards and no task is left."""
    stage.chat.then(stage.chat.says("A sentence that is whole. ", then_hang=True))
    session = await stage.call()
    stage.turn()
    await stage.listener.until_said("A sentence")
    said = len(stage.listener.heard)
    async with asyncio.timeout(1.0):
        await session.close()
        await session.close()
    session.dtmf("1")
    await asyncio.sleep(0.05)
    assert len(stage.listener.heard) == said
    assert not [task for task in asyncio.all_tasks() if task.get_name() in ("speak", "read the model", "answer")]


@pytest.mark.parametrize("options", [{}, {"stt": "deepgram"}])
async def test_a_tenant_aims_inside(stage: Stage, options: dict[str, str]) -> None:
    """No stage of a tenant's pipeline reaches an internal address, whatever the tenant wrote; nothing is sent there."""
    access = replace(stage.access(**options), guarded=True)
    session = stage.provider.session(ACME, access)
    try:
        await session.open(stage.listener)
        stage.session = session
        stage.turn()
        await stage.listener.until(lambda: "failed" in stage.listener.kinds)
        kind, reason = next(what for told, what in stage.listener.heard if told == "failed")  # type: ignore[misc]
    except ProviderError as error:
        kind, reason = error.kind, str(error)
    assert kind == "refused", reason
    assert not (stage.stt.requests or stage.chat.requests or stage.speech.requests)


async def test_a_tenant_on_the_companys_machines(stage: Stage, settings: Settings) -> None:
    """What the operator allows by name is reached, and nothing but that."""
    async with DeepgramPeer(["Sales, please."]) as deepgram:
        urls = (deepgram.url, stage.chat.url, stage.speech.url)
        settings.EGRESS_ALLOW = [urlsplit(url).netloc for url in urls]
        access = replace(stage.access(stt="deepgram", stt_url=deepgram.url), guarded=True)
        stage.session = stage.provider.session(ACME, access)
        await stage.session.open(stage.listener)
        stage.session.turn_started()
        for _ in range(60):
            stage.session.hear(FRAME)
        stage.session.turn_ended(TURN)
        await stage.listener.until_finished()
        assert ("caller", "Sales, please.") in stage.listener.heard


async def test_own_machines_only(stage: Stage, tmp_path: Path) -> None:
    """With the node's own voice, a pipeline needs no key and no service on the internet; nothing said is kept."""
    await stage.call(tts="local", tts_url="", stt_key="", llm_key="", tts_key="")
    stage.turn()
    await stage.listener.until_finished()
    assert stage.listener.sound["answer-1"] and not stage.speech.requests
    assert "authorization" not in stage.chat.requests[0].headers
    assert not files(tmp_path)


def test_the_tool_call_of_the_contract() -> None:
    """What is told of a tool is what the contract says."""
    assert ToolCall("call-1", "transfer").arguments == {}
