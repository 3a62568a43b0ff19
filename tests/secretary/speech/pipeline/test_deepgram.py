"""Deepgram's streaming recogniser: what is sent, when the words are there, and what happens when it breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from eslbridge.media import codec
from secretary.speech.contract import Access, ProviderError
from secretary.speech.pipeline.settings import pipeline_of
from secretary.speech.pipeline.stt import deepgram
from secretary.speech.pipeline.stt.deepgram import ListeningRecogniser
from tests.peers.deepgram_listen import DeepgramPeer

LOUD = b"\x40\x1f" * 160
QUIET = bytes(320)


@asynccontextmanager
async def listening(
    peer: DeepgramPeer, heard: list[str] | None = None, **options: str
) -> AsyncIterator[ListeningRecogniser]:
    given = {"stt": "deepgram", "stt_url": peer.url, "stt_key": "dg-key"} | options
    stage = pipeline_of(Access(options=tuple(given.items()), guarded=False)).stt
    recogniser = ListeningRecogniser(stage, "en", ["Sales", "Dr. Lima"])
    await recogniser.open((heard if heard is not None else []).append)
    try:
        yield recogniser
    finally:
        await recogniser.close()


async def speak(recogniser: ListeningRecogniser, frames: int = 50, before: int = 200) -> Any:
    """A turn of `frames` frames, with quiet before it (4 s)."""
    for _ in range(before):
        recogniser.hear(QUIET)
    recogniser.turn_started()
    for n in range(frames):
        recogniser.hear(LOUD)
        if n % 10 == 0:
            await asyncio.sleep(0.001)
    return recogniser.turn_ended(QUIET * min(before, 15) + LOUD * frames)


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(3):
        while not true():
            await asyncio.sleep(0.005)


async def test_turns() -> None:
    """Each turn has its own words; what lies between turns is not sent, 2.5 s before each are."""
    async with DeepgramPeer(["I need help.", "Thank you."]) as peer, listening(peer) as recogniser:
        first = await (await speak(recogniser))
        second = await (await speak(recogniser))
        assert (first.text, second.text) == ("I need help.", "Thank you.")
        assert first.seconds == pytest.approx(3.5)  # with the 2.5 s before
        assert bytes(peer.audio[0]) == (QUIET * 125 + LOUD * 50) * 2
        assert peer.headers[0]["authorization"] == "Token dg-key"
        query = dict(peer.queries[0])
        assert (query["encoding"], query["sample_rate"], query["language"]) == ("linear16", "8000", "en")
        assert [value for name, value in peer.queries[0] if name == "keyterm"] == ["Sales", "Dr. Lima"]
    assert peer.messages == ["Finalize", "Finalize", "CloseStream"]


async def test_mulaw() -> None:
    """At half the bandwidth where that is asked for."""
    async with DeepgramPeer(["Yes."]) as peer, listening(peer, stt_encoding="mulaw") as recogniser:
        assert (await (await speak(recogniser))).text == "Yes."
        assert bytes(peer.audio[0]) == codec.encode(QUIET * 125 + LOUD * 50, "PCMU")


async def test_several_languages() -> None:
    """Asked for several languages, it tells which one it heard."""
    async with (
        DeepgramPeer(["Bom dia."], languages=("pt",)) as peer,
        listening(peer, stt_language="multi") as recogniser,
    ):
        assert (await (await speak(recogniser))).language == "pt-br"
        assert dict(peer.queries[0])["language"] == "multi"


async def test_words_that_are_there_already() -> None:
    """What it finalised at the pause by itself is not waited for again."""
    async with DeepgramPeer(["Hello there."], endpoint=True, delay_s=1.0) as peer, listening(peer) as recogniser:
        words = await speak(recogniser, 25, before=10)
        began = asyncio.get_running_loop().time()
        assert (await words).text == "Hello there."
        assert asyncio.get_running_loop().time() - began < 0.8


async def test_words_so_far() -> None:
    """What is understood while the caller still speaks is told: a sentence may be whole."""
    heard: list[str] = []
    async with DeepgramPeer(["Hello there."], endpoint=True) as peer, listening(peer, heard) as recogniser:
        recogniser.turn_started()
        for _ in range(60):
            recogniser.hear(LOUD)
        await until(lambda: heard)
        await recogniser.turn_ended(LOUD * 60)
    assert heard == ["Hello there."]


async def test_the_caller_goes_on_at_once() -> None:
    """A turn that begins before the last one's words are there takes nothing from it."""
    async with DeepgramPeer(["First.", "Second."], delay_s=0.1) as peer, listening(peer) as recogniser:
        first = asyncio.ensure_future(await speak(recogniser))
        second = asyncio.ensure_future(await speak(recogniser, before=0))
        assert [(await first).text, (await second).text] == ["First.", "Second."]


async def test_certain_only_at_its_end() -> None:
    """A short word into the secretary's sentence becomes a turn when it is over: its sound is in what was kept."""
    async with DeepgramPeer(["Stop."]) as peer, listening(peer) as recogniser:
        for frame in (*[QUIET] * 200, *[LOUD] * 70):
            recogniser.hear(frame)
        recogniser.turn_started()
        assert (await recogniser.turn_ended(QUIET * 15 + LOUD * 70)).text == "Stop."
        assert bytes(peer.audio[0]) == QUIET * 55 + LOUD * 70


async def test_words_before_the_turn() -> None:
    """What was said before the turn, and was none of its own, is not in its words."""
    async with DeepgramPeer(["Mm and now"], speech_s=9) as peer, listening(peer) as recogniser:
        for frame in [LOUD] * 200:
            recogniser.hear(frame)
        recogniser.turn_started()
        assert (await recogniser.turn_ended(LOUD * 80)).text == "and now"


async def test_a_beginning_that_was_not_kept() -> None:
    """A turn whose beginning lies too far back is sent as a whole."""
    async with DeepgramPeer(["", "All of it."]) as peer, listening(peer) as recogniser:
        recogniser.turn_started()
        for frame in [LOUD] * 30:
            recogniser.hear(frame)
        assert (await recogniser.turn_ended(LOUD * 100)).text == "All of it."
        assert bytes(peer.audio[0]) == LOUD * 130


async def test_kept_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """While nobody speaks it is told that we are still there."""
    monkeypatch.setattr(deepgram, "KEEP_ALIVE_S", 0.02)
    async with DeepgramPeer() as peer, listening(peer):
        await until(lambda: len(peer.messages) >= 3)
    assert set(peer.messages) == {"KeepAlive", "CloseStream"}


async def test_broken_in_mid_turn() -> None:
    """A connection that breaks while the caller speaks is opened again, and the whole turn is sent on it."""
    async with DeepgramPeer(["All of it."], drop_after=8000) as peer, listening(peer) as recogniser:
        for _ in range(5):
            recogniser.hear(QUIET)
        recogniser.turn_started()
        for _ in range(40):
            recogniser.hear(LOUD)
        await until(lambda: len(peer.audio) == 2)
        assert (await recogniser.turn_ended(LOUD * 40)).text == "All of it."
        assert bytes(peer.audio[1]) == LOUD * 40


async def test_broken_between_turns() -> None:
    """A connection that was lost meanwhile costs nothing but its opening."""
    async with DeepgramPeer(["One.", "Two."]) as peer, listening(peer) as recogniser:
        assert (await (await speak(recogniser))).text == "One."
        await peer.sockets[0].close(1000)
        await until(lambda: recogniser._socket is None)
        assert (await (await speak(recogniser))).text == "Two."
        assert len(peer.audio) == 2


async def test_silent() -> None:
    """A service that never answers leaves the turn without words, in time: the caller is asked again."""
    async with DeepgramPeer(silent=True) as peer, listening(peer) as recogniser:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(deepgram, "ANSWER_S", 0.05)
            assert (await (await speak(recogniser))).text == ""


@pytest.mark.parametrize(
    "said", ["{", "[]", '{"type": "Results"}', '{"type": "Results", "channel": {"alternatives": []}}']
)
async def test_garbage(said: str) -> None:
    """What makes no sense is a failure with a name, after a second try."""
    async with DeepgramPeer(garbage=said) as peer, listening(peer) as recogniser:
        with pytest.raises(ProviderError, match=r"speech to text \(deepgram\)") as failed:
            await (await speak(recogniser))
        assert failed.value.kind == "protocol" and len(peer.audio) == 2


@pytest.mark.parametrize(
    ("status", "kind"), [(401, "auth"), (402, "refused"), (429, "rate_limited"), (500, "unreachable")]
)
async def test_refused_at_the_door(status: int, kind: str) -> None:
    """Opening says why it was refused."""
    async with DeepgramPeer(status=status) as peer:
        with pytest.raises(ProviderError) as failed:
            async with listening(peer):
                pass
        assert failed.value.kind == kind and "dg-key" not in str(failed.value)


async def test_gone_for_good() -> None:
    """A service that went away and does not come back fails the turn."""
    async with DeepgramPeer() as peer, listening(peer, stt_timeout="1") as recogniser:
        assert peer._server is not None
        peer._server.close()
        await peer._server.wait_closed()
        await asyncio.sleep(0.02)
        with pytest.raises(ProviderError) as failed:
            await (await speak(recogniser))
        assert failed.value.kind == "unreachable"


async def test_a_connection_that_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for a connection is bounded; the turn is then sent as a whole."""
    monkeypatch.setattr(deepgram, "MOST_WAITING", 4)
    async with DeepgramPeer(["Yes."]) as peer, listening(peer) as recogniser:
        recogniser.turn_started()
        for _ in range(200):
            recogniser.hear(LOUD)
        assert len(recogniser._waiting) <= 4
        monkeypatch.setattr(deepgram, "MOST_WAITING", 500)
        assert (await recogniser.turn_ended(LOUD * 50)).text == "Yes."
        assert bytes(peer.audio[0]).endswith(LOUD * 50)
