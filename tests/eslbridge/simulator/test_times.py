"""Conditions on the time, as FreeSWITCH has them."""

from __future__ import annotations

from datetime import datetime

import pytest

from eslbridge.simulator import times

FRIDAY = datetime(2026, 5, 29, 9, 0)


@pytest.mark.parametrize(
    ("attributes", "matches"),
    [
        ({"wday": "2-6"}, True),
        ({"wday": "1,7"}, False),
        ({"wday": "6"}, True),
        ({"minute-of-day": "541-1080"}, True),
        ({"minute-of-day": "542-1080"}, False),
        ({"hour": "18-9"}, True),
        ({"hour": "18-8"}, False),
        ({"mon": "5", "mday": "29", "year": "2026", "minute": "0"}, True),
        ({"mon": "5", "mday": "30"}, False),
        ({"field": "destination_number"}, True),
    ],
)
def test_numbers_and_ranges(attributes: dict[str, str], matches: bool) -> None:
    """Lists, ranges, ranges that go round; Sunday is 1, and 9:00 is minute 541."""
    assert times.match(times.of(attributes), FRIDAY) is matches


def test_what_is_not_known_is_said() -> None:
    """Better than a condition that always matches."""
    with pytest.raises(ValueError, match="date-time"):
        times.of({"date-time": "2026-05-29 09:00~2026-05-29 18:00"})
