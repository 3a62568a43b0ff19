"""When to try again, in numbers."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from secretary.webhooks import retry

START = datetime(2026, 1, 1, tzinfo=UTC)


@given(st.integers(1, 200), st.integers(), st.one_of(st.none(), st.floats(0, 1e9)))
def test_pauses_are_bounded(attempts: int, seed: int, wish_s: float | None) -> None:
    """Never shorter than 8 s, never longer than 6 h and a fifth, whatever a receiver wishes."""
    pause = retry.pause(attempts, chance=random.Random(seed), wish_s=wish_s)  # noqa: S311
    assert timedelta(seconds=8) <= pause <= timedelta(hours=7.2)
    if wish_s is not None:
        assert pause >= min(timedelta(seconds=wish_s), retry.LONGEST_WISH)


def test_three_days() -> None:
    """The pauses grow from seconds to hours, and there are enough of them in three days."""
    chance = random.Random(1)  # noqa: S311
    pauses = [retry.pause(attempt, chance=chance) for attempt in range(1, 30)]
    assert pauses[0] < timedelta(seconds=13) and pauses[5] > timedelta(minutes=30)
    within = [n for n in range(len(pauses)) if sum(pauses[:n], timedelta()) < retry.KEEP_TRYING]
    assert 15 <= len(within) <= 24


def test_jitter_spreads() -> None:
    """What failed together does not come back together."""
    chance = random.Random(2)  # noqa: S311
    pauses = {round(retry.pause(4, chance=chance).total_seconds()) for _ in range(50)}
    assert len(pauses) > 20


def test_breather() -> None:
    """Some patience, then longer and longer rests, five minutes at most."""
    assert [retry.breather(failures) for failures in (0, 4)] == [None, None]
    assert [retry.breather(failures) for failures in (5, 6, 7)] == [timedelta(seconds=s) for s in (15, 30, 60)]
    assert retry.breather(10_000) == timedelta(minutes=5)


def test_hopeless() -> None:
    """Only long and often makes hopeless."""
    later = START + timedelta(days=3)
    assert retry.is_hopeless(failures=10, failing_since=START, now=later)
    assert not retry.is_hopeless(failures=9, failing_since=START, now=later)
    assert not retry.is_hopeless(failures=99, failing_since=START, now=later - timedelta(seconds=1))
