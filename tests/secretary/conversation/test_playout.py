"""What the caller has heard is the truth."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from secretary.conversation.playout import REWIND_MS, Playout, words_heard


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
        playout.queued(str(n), "word", bytes(length * 16), True, now=0, heard=0)
    heard = min(stop, sum(lengths))
    cut = playout.cut(now=heard, heard=heard)
    assert sum(part.heard_ms for part in cut) == heard
    assert not playout.open


def test_parts_of_an_utterance_are_one() -> None:
    """Streamed parts are settled together, when the last was heard."""
    playout = Playout()
    playout.queued("u", "good", bytes(16 * 500), False, now=0, heard=0)
    playout.queued("u", "morning", bytes(16 * 500), True, now=100, heard=100)
    assert playout.settled(now=900, heard=900) == []
    (heard,) = playout.settled(now=1_000, heard=1_000)
    assert (heard.text, heard.began_at, heard.ended_at) == ("good morning", 0, 1_000)


def test_voice_after_a_pause_begins_when_it_is_queued() -> None:
    """An empty queue means that the next voice starts now, not where the last one ended."""
    playout = Playout()
    playout.queued("a", "x", bytes(16 * 100), True, now=0, heard=0)
    playout.settled(now=100, heard=100)
    playout.queued("b", "y", bytes(16 * 100), True, now=5_000, heard=100)
    (heard,) = playout.settled(now=5_100, heard=200)
    assert (heard.began_at, heard.ended_at) == (5_000, 5_100)


@given(st.lists(st.integers(20, 3_000), min_size=1, max_size=4), st.integers(0, 8_000), st.integers(0, 60))
def test_a_held_voice_goes_on_where_it_was_stopped(lengths: list[int], stop: int, road: int) -> None:
    """Stopped and resumed, all of it is heard in the end, a moment of it twice, and each utterance settles once."""
    playout, n = Playout(), 0
    for n, length in enumerate(lengths):
        playout.queued(str(n), "word", bytes([n + 1]) * 16 * length, True, now=0, heard=0)
    heard = min(stop, sum(lengths))
    settled = playout.settled(now=heard, heard=heard)
    if not playout.open:
        return
    playout.hold(now=heard, heard=heard)
    assert not playout.open and playout.settled(now=heard, heard=heard) == []
    rest = len(playout.resume(now=heard + 500, heard=heard + road)) // 16
    assert sum(lengths) - heard <= rest <= sum(lengths) - heard + REWIND_MS
    early = playout.settled(now=heard + 500, heard=heard + road + rest - 1)
    assert str(n) not in [one.utterance_id for one in early]
    settled += early
    settled += playout.settled(now=heard + 500 + rest, heard=heard + road + rest)
    assert sorted({one.utterance_id for one in settled}) == [str(n) for n in range(len(lengths))]
    assert [one.heard_ms for one in settled if one.whole][-1:] == lengths[-1:]


@given(st.integers(0, 4_000))
def test_a_held_voice_that_is_given_up_was_heard_as_far_as_it_was(stop: int) -> None:
    """What the provider is told of it does not depend on whether it was held first."""
    first, second = Playout(), Playout()
    for playout in (first, second):
        playout.queued("u", "one two three four", bytes(16 * 4_000), True, now=0, heard=0)
    second.hold(now=stop, heard=stop)
    (cut,), (given_up,) = first.cut(now=stop, heard=stop), second.give_up(now=stop)
    assert (cut.text, cut.heard_ms, cut.whole) == (given_up.text, given_up.heard_ms, given_up.whole)


def test_the_reference_is_what_was_just_heard() -> None:
    """The last moment of the voice, also across utterances, and not for ever."""
    playout = Playout()
    playout.queued("a", "x", b"\1" * 16 * 500, True, now=0, heard=0)
    playout.queued("b", "y", b"\2" * 16 * 500, True, now=0, heard=0)
    assert playout.reference(600, 200) == b"\1" * 16 * 100 + b"\2" * 16 * 100
    playout.queued("c", "z", b"\3" * 16 * 500, True, now=0, heard=1_600)
    assert playout.reference(1_600, 10_000) == b"\2" * 16 * 500


def test_an_utterance_ends_where_the_next_begins() -> None:
    """A provider that never closes one and goes on to the next does not leave it open for ever."""
    playout = Playout()
    playout.queued("a", "one", bytes(16 * 100), False, now=0, heard=0)
    playout.queued("b", "two", bytes(16 * 100), True, now=0, heard=0)
    assert [heard.text for heard in playout.settled(now=200, heard=200)] == ["one", "two"]
    assert not playout.open


def test_music_is_part_of_the_reference() -> None:
    """As long as it is played; what is said after it begins where it was stopped."""
    playout, tune = Playout(), bytes([7]) * (16 * 5_000)
    playout.beside(tune, 1_000)
    assert playout.reference(2_000, 640) == tune[: 640 * 16]
    playout.beside(b"", 2_000)
    playout.queued("a", "Hello.", bytes(16 * 600), True, now=2_500, heard=2_000)
    assert playout.reference(2_600, 640) == tune[: 40 * 16] + bytes(16 * 600)
