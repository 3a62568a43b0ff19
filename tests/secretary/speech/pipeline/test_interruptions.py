"""A pipeline that is interrupted, by the caller or by a cough."""

from __future__ import annotations

import asyncio

import pytest

from secretary.speech.pipeline.words import words
from tests.peers.web import Reply, Request, hangs
from tests.secretary.speech.pipeline.conftest import Stage

SORRY = words("en").not_caught


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


@pytest.mark.parametrize("words_of_it", ["Uh-huh.", ""])
async def test_a_cough_that_cut_nothing_off(stage: Stage, words_of_it: str) -> None:
    """Where the conversation goes on with the voice by itself, the model is not asked, and knows that all was heard."""
    stage.stt.then(stage.stt.hears("Until when?"), stage.stt.hears(words_of_it), stage.stt.hears("Thanks."))
    stage.chat.then(stage.chat.says("We are open until six."), stage.chat.says("Goodbye."))
    session = await stage.call()
    stage.turn()
    await stage.listener.until_finished()
    session.interrupted("answer-1", "We are", 300)
    stage.listener.on_words = lambda text: session.resumed("answer-1") if text == words_of_it else None
    stage.turn()
    await stage.listener.until(lambda: ("caller", words_of_it) in stage.listener.heard)
    stage.turn()
    await stage.listener.until_said("Goodbye.")
    told = [message["content"] for message in stage.chat.requests[1].json["messages"][1:]]
    assert told == [text for text in ("Until when?", "We are open until six.", words_of_it, "Thanks.") if text]
    assert len(stage.chat.requests) == 2 and SORRY not in stage.listener.said.values()


async def test_a_cough_and_then_an_interruption(stage: Stage) -> None:
    """What went on after a cough can still be cut off: the model knows how far it came."""
    stage.chat.then(stage.chat.says("We are open until six."), stage.chat.says("Goodbye."))
    session = await stage.call()
    stage.turn()
    await stage.listener.until_finished()
    session.interrupted("answer-1", "We are", 300)
    session.resumed("answer-1")
    session.interrupted("answer-1", "We are open", 500)
    stage.turn()
    await stage.listener.until_said("Goodbye.")
    assert stage.chat.requests[1].json["messages"][2]["content"] == "We are open…"
