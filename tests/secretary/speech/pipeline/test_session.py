"""A pipeline in a call: turns, sentences, the platform's own, keys. Against stand-ins that are real servers."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from secretary.speech.contract import Said
from secretary.speech.pipeline import session as session_module
from secretary.speech.pipeline.words import words
from tests.peers.web import Reply, Request
from tests.secretary.speech.pipeline.conftest import ACME, Stage


async def test_a_turn(stage: Stage) -> None:
    """The caller's words are told, the model thinks, its sentences are spoken in order as one utterance."""
    stage.chat.then(stage.chat.says("Of course. One mo", "ment please. I will look", " that up for you."))
    await stage.call()
    stage.turn()
    await stage.listener.until_finished()
    assert stage.listener.kinds == ["caller", "thinking", "voice"]
    assert stage.listener.said == {"answer-1": "Of course. One moment please. I will look that up for you."}
    # Asked for side by side, so that the second may arrive first; spoken in order it is all the same.
    assert sorted(stage.speech.texts) == ["I will look that up for you.", "Of course. One moment please."]
    spoken = len("".join(stage.speech.texts)) * 60 / 1000
    assert len(stage.listener.sound["answer-1"]) / 16_000 == pytest.approx(spoken, abs=0.01)
    assert stage.chat.requests[0].json["messages"][1:] == [
        {"role": "user", "content": "I would like to speak to sales, please."}
    ]
    assert stage.listener.usage == {"stt_second": 1.2, "input_token": 120, "output_token": 20, "character": 57}
    assert stage.listener.models == {
        "stt_second": "whisper-1",
        "input_token": "",
        "output_token": "",
        "character": "tts-1",
    }
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


async def test_words_come_in_the_order_of_the_turns(stage: Stage) -> None:
    """A turn that is understood more slowly keeps its place; only the last one is answered."""
    stage.stt.then(stage.stt.hears("One.", delay_s=0.15), stage.stt.hears("Two."))
    await stage.call()
    stage.turn()
    stage.turn()
    await stage.listener.until_finished()
    assert [what for kind, what in stage.listener.heard if kind == "caller"] == ["One.", "Two."]
    assert len(stage.chat.requests) == 1


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


async def test_thoughts_without_a_beginning(stage: Stage) -> None:
    """A server that eats the tag before a model's thoughts is known by its option: they are not spoken."""
    stage.chat.then(stage.chat.says("The caller wants", " sales.</think>", "Sales, certainly."))
    await stage.call(llm_thinks="yes")
    stage.turn()
    await stage.listener.until_finished()
    assert stage.speech.texts == ["Sales, certainly."]


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
