"""The parts that the realtime providers share, each by itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from secretary.speech.contract import Access, Briefing, ProviderError, Said
from secretary.speech.deepgram_agent import messages as deepgram
from secretary.speech.elevenlabs_agent import messages as elevenlabs
from secretary.speech.gemini_live import messages as gemini
from secretary.speech.openai_realtime import address
from secretary.speech.realtime import prompt, wire
from secretary.speech.realtime.memory import MOST_LETTERS, MOST_LINES, Memory
from secretary.speech.realtime.turns import MOST, CallerTurns
from secretary.speech.realtime.wire import AUDIO, CONTROL, Wire
from secretary.speech.realtime.words import Pace, Words
from tests.secretary.speech.realtime.ear import BRIEFING

# Words ------------------------------------------------------------------------------------------------------------


@given(st.lists(st.text(" abc", max_size=6)), st.lists(st.integers(0, 400), max_size=20))
def test_words_are_given_once_and_whole(pieces: list[str], steps: list[int]) -> None:
    """However the transcript is cut and the sound comes, all words come out, in order, none in two."""
    words, given_, sound = Words(Pace()), [], 0
    text = "".join(pieces)
    for at in range(max(len(pieces), len(steps))):
        if at < len(pieces):
            words.add(pieces[at])
        sound += steps[at] if at < len(steps) else 0
        given_ += words.until(sound).split()
    given_ += words.rest().split()
    assert given_ == text.split()


def test_the_pace_is_learned() -> None:
    """A voice that speaks fast gets its words sooner the next time; one odd utterance does not run away with it."""
    pace = Pace()
    pace.learn(200, 10_000)
    assert 15 < pace.letters_per_s < 20
    pace.learn(10_000, 1_000)
    assert pace.letters_per_s <= 30
    before = pace.letters_per_s
    pace.learn(5, 200)
    assert pace.letters_per_s == before


# Turns and memory -------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(["end", "words", "other", "late"]), max_size=60))
def test_every_turn_is_told_once(steps: list[str]) -> None:
    """Whatever comes of the transcripts, or does not: as many as there were turns, and never more waiting than some."""
    told: list[str] = []
    turns = CallerTurns(told.append, patience_s=4.0)
    ended = now = 0
    for step in steps:
        now += 1
        if step == "end":
            ended += 1
            turns.ended(now, f"turn-{ended}")
        elif step == "words":
            turns.words("x", f"turn-{ended}")
        elif step == "other":
            turns.words("x", "unknown")
        else:
            turns.expire(now)
        assert turns.waiting <= MOST
    turns.abandon()
    assert len(told) == ended


def test_the_memory_is_what_was_heard_in_the_order_of_speaking() -> None:
    """Words that come late stand where they were said; an answer that was cut stands as far as it was heard."""
    memory = Memory([Said("secretary", "Good morning.")])
    memory.turn()
    memory.secretary("u1", "We sell anvils and hammers.")
    memory.caller("What do you sell?")
    memory.heard("u1", "We sell anvils")
    memory.secretary("u2", "And more.")
    memory.heard("u2", "")
    assert [line.text for line in memory.lines()] == ["Good morning.", "What do you sell?", "We sell anvils"]


def test_the_memory_is_bounded() -> None:
    """Of an endless conversation the newest lines are kept."""
    memory = Memory()
    for number in range(1_000):
        memory.caller(f"{number} " + "x" * 500)
    lines = memory.lines()
    assert len(lines) <= MOST_LINES
    assert sum(len(line.text) for line in lines) <= MOST_LETTERS
    assert lines[-1].text.startswith("999 ")


# Words for the model ----------------------------------------------------------------------------------------------


def test_instructions_of_the_platform_come_first() -> None:
    """Where there are any they are all; else what is known makes some."""
    ordered = Briefing(**{**{f: getattr(BRIEFING, f) for f in BRIEFING.__slots__}, "instructions": "Be brief."})
    assert prompt.instructions(ordered) == "Be brief."
    own = prompt.instructions(BRIEFING)
    assert "Ana" in own and "Sales (also: the shop)" in own and "anvils" in own
    assert prompt.MARK in prompt.instructions(ordered, marked=True)


@pytest.mark.parametrize(
    ("code", "ours"), [("pt", "pt-br"), ("pt-BR", "pt-br"), ("en_US", "en"), ("portuguese", "pt-br"), ("de", None)]
)
def test_languages_are_told_apart(code: str, ours: str | None) -> None:
    """Vendors write them in their own ways; those that we do not speak are none."""
    assert prompt.language_of(code) == ours


# Addresses --------------------------------------------------------------------------------------------------------


def options(**given: str) -> tuple[tuple[str, str], ...]:
    return tuple(given.items())


@pytest.mark.parametrize(
    ("access", "url"),
    [
        (Access(model="m"), "wss://api.openai.com/v1/realtime?model=m"),
        (Access(base_url="https://speech.example/v1", model="m"), "wss://speech.example/v1/realtime?model=m"),
        (Access(base_url="http://box:8000/v1/realtime", model="m"), "ws://box:8000/v1/realtime?model=m"),
        (
            Access(base_url="https://acme.openai.azure.com", options=options(deployment="voice one")),
            "wss://acme.openai.azure.com/openai/v1/realtime?model=voice+one",
        ),
        (
            Access(base_url="https://acme.openai.azure.com/openai/v1/", model="m"),
            "wss://acme.openai.azure.com/openai/v1/realtime?model=m",
        ),
        (
            Access(base_url="https://acme.openai.azure.com", model="m", options=options(api_version="2025-04-01")),
            "wss://acme.openai.azure.com/openai/realtime?api-version=2025-04-01&deployment=m",
        ),
    ],
)
def test_openais_address(access: Access, url: str) -> None:
    """OpenAI, a server of one's own, Azure by both of its ways."""
    assert address.url_of(access) == url


def test_azure_takes_its_key_in_another_header() -> None:
    """By the host, or where the option says so."""
    azure = Access(api_key="k", base_url="https://acme.openai.azure.com")
    assert address.headers_of(azure) == {"api-key": "k"}
    proxied = Access(api_key="k", base_url="https://proxy.example", options=options(azure="yes"))
    assert address.headers_of(proxied) == {"api-key": "k"}
    assert address.headers_of(Access(api_key="k")) == {"Authorization": "Bearer k"}
    assert address.headers_of(Access(base_url="http://box")) == {}


def test_the_other_addresses() -> None:
    """The vendors' own, and where an own one takes their place."""
    assert gemini.url_of(Access()).startswith("wss://generativelanguage.googleapis.com/ws/google.ai")
    assert gemini.url_of(Access(base_url="http://box/x/")).startswith("ws://box/x/ws/google.ai")
    assert gemini.model_of(Access(model="gemini-x")) == "models/gemini-x"
    eleven = Access(options=options(agent_id="a&b"), base_url="https://api.eu.residency.elevenlabs.io")
    assert elevenlabs.url_of(eleven) == "wss://api.eu.residency.elevenlabs.io/v1/convai/conversation?agent_id=a%26b"
    assert elevenlabs.signing_url_of(eleven).startswith(
        "https://api.eu.residency.elevenlabs.io/v1/convai/conversation/get-"
    )
    assert deepgram.url_of(Access()) == "wss://agent.deepgram.com/v1/agent/converse"
    assert deepgram.url_of(Access(base_url="https://box/v1")) == "wss://box/v1/agent/converse"


# The wire ---------------------------------------------------------------------------------------------------------


class Transport:
    def abort(self) -> None: ...


class Connection:
    """A connection that takes nothing until it is let."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.taken: list[Any] = []
        self.end = asyncio.Event()
        self.transport = Transport()

    async def send(self, message: Any, text: bool | None = None) -> None:
        await self.gate.wait()
        self.taken.append(message)

    async def recv(self, decode: bool | None = None) -> Any:
        await self.end.wait()
        raise ConnectionClosedError(Close(1011, "sk-secret"), None)

    async def close(self) -> None:
        await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "CLOSE_S", 0.02)


def wired(connection: Connection) -> tuple[Wire, list[ProviderError]]:
    lost: list[ProviderError] = []
    made = Wire(
        connection,  # type: ignore[arg-type]
        host="host",
        on_message=lambda _wire, _message: None,
        on_lost=lambda _wire, error: lost.append(error),
        explain=lambda _error: ProviderError("gone", kind="unreachable"),
    )
    made.start()
    return made, lost


async def test_audio_that_is_not_taken_is_dropped_oldest_first() -> None:
    """And counted; what steers the conversation stays, in its place."""
    connection = Connection()
    made, lost = wired(connection)
    await asyncio.sleep(0)
    made.send("first")
    for number in range(AUDIO + 10):
        made.send_audio(f"audio {number}")
    made.send("last")
    connection.gate.set()
    await asyncio.sleep(0.01)
    assert made.dropped == 10
    assert connection.taken == ["first", *(f"audio {number}" for number in range(10, AUDIO + 10)), "last"]
    assert not lost
    await made.close()


async def test_a_connection_that_takes_no_order_is_lost() -> None:
    """Orders are not dropped: the provider is given up, once."""
    made, lost = wired(Connection())
    for _ in range(CONTROL + 2):
        made.send("order")
    assert [error.kind for error in lost] == ["unreachable"]
    await made.close()


async def test_a_connection_that_takes_no_audio_is_lost_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller speaks to nobody."""
    monkeypatch.setattr(wire, "STALLED_S", 0.01)
    made, lost = wired(Connection())
    made.send_audio("first")
    await asyncio.sleep(0.03)
    for _ in range(AUDIO + 1):
        made.send_audio("audio")
    assert [error.kind for error in lost] == ["unreachable"]
    await made.close()


async def test_closing_does_not_wait_for_a_goodbye() -> None:
    """A connection that will not close is cut."""
    made, lost = wired(Connection())
    async with asyncio.timeout(0.5):
        await made.close()
    made.send("after")
    assert not lost
