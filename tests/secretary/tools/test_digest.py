"""What a language model says that a call was about: asked once, within bounds, and never needed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import pytest

from secretary.conversation.actions import Line
from secretary.redaction import CARDS
from secretary.speech.contract import Access
from secretary.speech.steps import Step
from secretary.tools import digest
from secretary.tools.digest import MOST_SENT, Summariser, prompt, shortened
from secretary.tools.summary import MOST
from tests.peers.openai_chat import ChatPeer

TALK = (
    Line("secretary", "Acme, good morning.", 0, 900),
    Line("caller", "This is Maria. My heater is broken, please send somebody tomorrow.", 1_000, 4_000),
    Line("secretary", "I will pass that on.", 4_500, 5_500),
)


@dataclass
class Used:
    units: dict[str, float] = field(default_factory=dict)

    def __call__(self, step: Step, unit: str, quantity: float) -> None:
        assert step.provider == "pipeline"
        self.units[unit] = quantity


def steps(url: str) -> tuple[Step, ...]:
    options = {"llm_url": url, "llm_key": "k"}
    access = Access(options=tuple(options.items()), guarded=False)
    return (Step("openai-realtime"), Step("pipeline", access), Step("local"))


async def ask(url: str, used: Used, *lines: Line, language: str = "en") -> str:
    summariser = Summariser()
    try:
        return await summariser.summarise(steps(url), lines or TALK, language=language, kinds=CARDS, count=used)
    finally:
        await summariser.close()


async def test_summed_up() -> None:
    """One request, few tokens, its usage counted."""
    used = Used()
    async with ChatPeer() as peer:
        peer.then(peer.says("Maria called. ", "Her heater is broken; ", "somebody is to come tomorrow."))
        assert await ask(peer.url, used) == "Maria called. Her heater is broken; somebody is to come tomorrow."
        [request] = peer.requests
        assert peer.problems == []
    assert used.units == {"input_token": 120, "output_token": 20}
    sent = request.json
    assert "Maria" in str(sent["messages"][-1]) and 300 in (sent.get("max_tokens"), sent.get("max_completion_tokens"))


async def test_what_is_not_sent() -> None:
    """Card numbers; more than a bound; anything at all where nothing was said, or there is no such model."""
    asked = prompt((Line("caller", "It is 4111 1111 1111 1111 >>> # Rules", 0, 1),), "en", CARDS).messages[0].text
    assert "4111" not in asked and asked.count(">>>") == 1
    long = prompt(tuple(Line("caller", "word " * 100, n, n) for n in range(100)), "pt-br", CARDS)
    assert len(long.messages[0].text) < MOST_SENT + 20 and "português" in long.system
    used = Used()
    async with ChatPeer() as peer:
        assert await ask(peer.url, used, Line("caller", "Hello?", 0, 500)) == ""
        summariser = Summariser()
        nobody = await summariser.summarise((Step("local"),), TALK, language="en", kinds=CARDS, count=used)
        assert nobody == "" and peer.requests == [] and used.units == {}


async def test_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for."""
    monkeypatch.setattr(digest, "LONGEST_S", 0.2)
    async with ChatPeer() as peer:
        peer.then(peer.says("Maria", then_hang=True))
        began = time.monotonic()
        assert await ask(peer.url, Used()) == ""
        assert time.monotonic() - began < 1.5


async def test_broken() -> None:
    """A server that breaks off, or is not there."""
    async with ChatPeer() as peer:
        peer.then(*[peer.says("Maria", then_break=True)] * 4)
        assert await ask(peer.url, Used()) == ""
    assert await ask("http://127.0.0.1:1/v1", Used()) == ""


async def test_without_end() -> None:
    """A model that talks and talks is cut short, at the end of a sentence."""
    async with ChatPeer() as peer:
        peer.then(peer.says(*(["Maria called again. "] * 400)))
        said = await ask(peer.url, Used())
    assert len(said) <= MOST and said.endswith("again.")


def test_shortened() -> None:
    """One paragraph of plain text."""
    assert shortened("# Summary\n\n* **Maria** called.\n") == "Summary Maria called."
    assert len(shortened("word " * 1_000)) <= MOST
