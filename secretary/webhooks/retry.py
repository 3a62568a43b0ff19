"""When to try again. Pure: times in, times out."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Final

KEEP_TRYING: Final = timedelta(days=3)
"""From the event (or its replay) on; then a delivery is given up."""
FIRST: Final = timedelta(seconds=10)
FACTOR: Final = 3
LONGEST: Final = timedelta(hours=6)
JITTER: Final = 0.2
"""Share by which a pause is made longer or shorter, so that what failed together does not come back together."""
LONGEST_WISH: Final = timedelta(hours=1)
"""Most that a receiver's Retry-After is believed."""

PATIENCE: Final = 5
"""Failures in a row after which the whole webhook gets pauses: a dead receiver must not keep lanes busy."""
FIRST_BREATHER: Final = timedelta(seconds=15)
LONGEST_BREATHER: Final = timedelta(minutes=5)

DISABLE_AFTER: Final = timedelta(days=3)
"""A webhook that has only failed for so long is switched off."""
DISABLE_ATTEMPTS: Final = 10
"""… but not before so many failures: one event every other day proves little."""


def pause(attempts: int, *, chance: random.Random, wish_s: float | None = None) -> timedelta:
    """How long to wait after this many attempts: 10 s, 30 s, 90 s, … 6 h, each ± 20 %; about 19 attempts in 3 days.

    `wish_s` is the receiver's Retry-After: it makes a pause longer, never shorter.
    """
    plain = min(LONGEST, FIRST * float(FACTOR ** min(attempts - 1, 20)))
    jittered = plain * chance.uniform(1 - JITTER, 1 + JITTER)
    wish = min(LONGEST_WISH, timedelta(seconds=max(0.0, wish_s or 0.0)))
    return max(jittered, wish)


def breather(failures: int) -> timedelta | None:
    """How long a webhook is left alone after so many failures in a row; None while it has our patience."""
    if failures < PATIENCE:
        return None
    return min(LONGEST_BREATHER, FIRST_BREATHER * float(2 ** min(failures - PATIENCE, 10)))


def is_hopeless(*, failures: int, failing_since: datetime, now: datetime) -> bool:
    """Whether to switch a webhook off."""
    return failures >= DISABLE_ATTEMPTS and now - failing_since >= DISABLE_AFTER
