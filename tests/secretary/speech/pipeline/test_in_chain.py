"""Pipelines in a secretary's chain: the next one goes on where one broke off, and none is given up without a reason."""

from __future__ import annotations

import asyncio

import pytest

from secretary.speech.chain import ChainSession
from secretary.speech.contract import NO_ACCESS, Access, Briefing, PlatformVoice, ProviderError, SpeechSession
from secretary.speech.steps import Step
from tests.peers.openai_chat import ChatPeer
from tests.peers.web import hangs, refuses
from tests.secretary.speech.pipeline.conftest import ACME, TURN, Stage


class OnlyPipelines:
    """No local secretary behind them."""

    voice: PlatformVoice | None = None

    def __init__(self, stage: Stage) -> None:
        self._provider = stage.provider

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def session(self, name: str, briefing: Briefing, access: Access = NO_ACCESS) -> SpeechSession:
        if name != "pipeline":
            raise ProviderError("there is nobody else")
        return self._provider.session(briefing, access)

    async def prepare(self, name: str, briefing: Briefing, access: Access = NO_ACCESS) -> None: ...


async def begun(stage: Stage, *accesses: Access) -> ChainSession:
    steps = tuple(Step("pipeline", access) for access in accesses)
    chain = ChainSession(steps, ACME, providers=OnlyPipelines(stage))
    await chain.open(stage.listener)
    chain.say(ACME.greeting)
    await stage.listener.until_finished()
    return chain


def turn(chain: ChainSession) -> None:
    chain.turn_started()
    chain.turn_ended(TURN)


@pytest.mark.parametrize("steps", [(refuses(401),), (refuses(500), refuses(500)), (hangs,)])
async def test_another_model_answers(stage: Stage, steps: tuple[object, ...]) -> None:
    """A model that is not to be had is replaced: the caller need not repeat anything, and the record says it once."""
    async with ChatPeer() as other:
        chain = await begun(stage, stage.access(llm_timeout="0.3"), stage.access(llm_url=other.url, llm_key="sk-other"))
        stage.chat.then(*steps)  # type: ignore[arg-type]
        other.then(other.says("Here is the other one."))
        turn(chain)
        await stage.listener.until_said("Here is the other one.")
        assert [what for kind, what in stage.listener.heard if kind == "caller"] == [
            "I would like to speak to sales, please."
        ]
        told = [message["content"] for message in other.requests[0].json["messages"][1:]]
        assert told == [ACME.greeting, "I would like to speak to sales, please."]
        assert "failed" not in stage.listener.kinds
        await chain.close()


async def test_a_long_answer_is_no_failure(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held back because the caller has enough to listen to is not taken for a voice that has stopped."""
    monkeypatch.setattr("secretary.speech.relay.STALL_S", 0.8)
    monkeypatch.setattr("secretary.speech.pipeline.speaker.PAUSE_S", 0.1)
    monkeypatch.setattr("secretary.speech.pipeline.speaker.AHEAD_S", 1.0)
    stage.speech.ms_a_character = 30
    async with ChatPeer() as other:
        chain = await begun(stage, stage.access(), stage.access(llm_url=other.url))
        stage.chat.then(stage.chat.says(*(f"This is sentence {n} of a long story. " for n in "abcd")))
        turn(chain)
        await stage.listener.until_said("sentence d of")
        await asyncio.sleep(0.1)
        assert not other.requests and len(stage.listener.finished()) > 2
        await chain.close()
