"""What the caller has heard is the truth."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from secretary.conversation.playout import Playout, words_heard


@given(st.text(alphabet="ab ,.", max_size=80), st.integers(0, 5_000), st.integers(1, 5_000))
def test_never_more_words_than_were_said(text: str, heard: int, length: int) -> None:
    """The heard words are a beginning of the words said, at every moment."""
    said, kept = text.split(), words_heard(text, heard, length).split()
    assert kept == said[: len(kept)]
    if heard >= length:
        assert kept == said


@given(st.lists(st.integers(20, 3_000), min_size=1, max_size=6), st.integers(0, 10_000))
def test_a_cut_accounts_for_every_heard_millisecond(lengths: list[int], stop: int) -> None:
    """Summed over the open utterances, heard is exactly what the leg says was heard."""
    playout = Playout()
    for n, length in enumerate(lengths):
        playout.queued(str(n), "word", length * 16, True, now=0, heard=0)
    heard = min(stop, sum(lengths))
    cut = playout.cut(now=heard, heard=heard)
    assert sum(part.heard_ms for part in cut) == heard
    assert not playout.open


def test_parts_of_an_utterance_are_one() -> None:
    """Streamed parts are settled together, when the last was heard."""
    playout = Playout()
    playout.queued("u", "good", 16 * 500, False, now=0, heard=0)
    playout.queued("u", "morning", 16 * 500, True, now=100, heard=100)
    assert playout.settled(now=900, heard=900) == []
    (heard,) = playout.settled(now=1_000, heard=1_000)
    assert (heard.text, heard.began_at, heard.ended_at) == ("good morning", 0, 1_000)


def test_voice_after_a_pause_begins_when_it_is_queued() -> None:
    """An empty queue means that the next voice starts now, not where the last one ended."""
    playout = Playout()
    playout.queued("a", "x", 16 * 100, True, now=0, heard=0)
    playout.settled(now=100, heard=100)
    playout.queued("b", "y", 16 * 100, True, now=5_000, heard=100)
    (heard,) = playout.settled(now=5_100, heard=200)
    assert (heard.began_at, heard.ended_at) == (5_000, 5_100)
