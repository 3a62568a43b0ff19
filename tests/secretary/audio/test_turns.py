"""Turns must begin early, never on noise, and end only when the caller has really finished."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secretary.audio.turns import WINDOW_MS, SpeechEnded, SpeechStarted, TurnDetector


def follow(probabilities, detector=None):
    """Every change with the time at which it was told."""
    detector = detector or TurnDetector()
    changes = []
    for n, probability in enumerate(probabilities, 1):
        change = detector.update(probability, n * WINDOW_MS)
        if change is not None:
            changes.append((n * WINDOW_MS, change))
    return changes


def test_sure_speech_is_told_after_two_windows():
    """64 ms after the onset, which is where the first of them began."""
    assert follow([0, 0, 0.95, 0.95, 0.95]) == [(4 * 32, SpeechStarted(2 * 32))]


def test_ordinary_speech_is_told_after_three_windows():
    """96 ms: the default of `start_ms`."""
    assert follow([0, 0.6, 0.6, 0.6]) == [(4 * 32, SpeechStarted(32))]


def test_a_soft_first_consonant_counts_and_one_gap_does_not_start_again():
    """An `s` is half believed, and its onset is the turn's onset."""
    assert follow([0, 0.3, 0.4, 0.1, 0.9, 0.9]) == [(5 * 32 + 32, SpeechStarted(32))]


@pytest.mark.parametrize("probabilities", [[0.45] * 200, [0.9, 0, 0, 0, 0, 0] * 30, [0.2] * 500])
def test_doubt_and_single_clicks_are_no_turn(probabilities):
    """However long they go on."""
    assert follow(probabilities) == []


def test_the_end_comes_after_the_pause_and_tells_the_last_sound():
    """700 ms after the caller fell silent, not sooner."""
    changes = follow([0.9] * 10 + [0.05] * 40)
    assert changes[1][1] == SpeechEnded(10 * 32)
    assert 700 <= changes[1][0] - 320 < 700 + WINDOW_MS


def test_a_pause_within_a_sentence_does_not_end_the_turn():
    """600 ms of thinking belong to the turn."""
    assert len(follow([0.9] * 10 + [0.0] * 18 + [0.9] * 10)) == 1


def test_soft_word_endings_keep_the_turn_open():
    """Between `off` and `on` the caller still speaks."""
    assert len(follow([0.9] * 5 + [0.4] * 100)) == 1


def test_the_pause_may_be_changed_during_a_turn():
    """Somebody who dictates a message pauses longer."""
    detector = TurnDetector()
    follow([0.9] * 10, detector)
    detector.pause_ms = 2000
    assert [detector.update(0.0, 320 + n * 32) for n in range(1, 60)] == [None] * 59
    assert detector.update(0.0, 2400) == SpeechEnded(320)


@given(st.lists(st.floats(0, 1), max_size=400))
def test_beginnings_and_ends_alternate_and_times_make_sense(probabilities):
    """Whatever the model says."""
    changes = follow(probabilities)
    for n, (told, change) in enumerate(changes):
        assert isinstance(change, SpeechStarted if n % 2 == 0 else SpeechEnded)
        at = change.onset_ms if isinstance(change, SpeechStarted) else change.last_sound_ms
        assert 0 <= at <= told
        if n:
            assert at >= changes[n - 1][0] - WINDOW_MS or isinstance(change, SpeechEnded)


def test_thresholds_that_cross_are_refused():
    """A lower bar to begin than to go on would flutter."""
    with pytest.raises(ValueError, match="off <= on"):
        TurnDetector(on=0.3, off=0.5)
