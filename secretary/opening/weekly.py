"""A week of opening hours, as it is written: `{"mon": ["09:00-12:00", "13:00-18:00"], "fri": ["22:00-06:00"]}`.

A range that ends before it begins goes on into the next day and belongs to the day on which it begins. `00:00-00:00`
(or `00:00-24:00`) is the whole day.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any, Final

from django.utils.translation import gettext as _

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""In the order of `date.weekday()`."""
MOST_RANGES: Final = 6
"""In one day."""
DAY_MIN: Final = 24 * 60
_RANGE = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9]) ?[-–] ?(?:([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00))")  # noqa: RUF001


class NotOpeningHours(ValueError):
    """What was given is not opening hours. `sentence` says why, for people."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """Minutes after midnight; `end` is after `start`, and above 1440 where it is on the next day."""

    start: int
    end: int

    def __str__(self) -> str:
        return f"{_clock(self.start)}-{_clock(self.end % DAY_MIN)}"

    @property
    def from_time(self) -> time:
        return time(*divmod(self.start, 60))

    @property
    def to_time(self) -> time:
        return time(*divmod(self.end % DAY_MIN, 60))


@dataclass(frozen=True, slots=True)
class Weekly:
    """Ranges by weekday, Monday first."""

    days: tuple[tuple[Range, ...], ...] = ((),) * 7

    def as_json(self) -> dict[str, list[str]]:
        return {name: [str(one) for one in ranges] for name, ranges in zip(DAYS, self.days, strict=True) if ranges}

    def __iter__(self) -> Iterator[tuple[Range, ...]]:
        return iter(self.days)

    @property
    def is_empty(self) -> bool:
        return not any(self.days)


def read_weekly(value: Any) -> Weekly:
    """Raises NotOpeningHours."""
    if not isinstance(value, Mapping):
        raise NotOpeningHours(_("An object with the days mon to sun is wanted."))
    unknown = [str(name)[:20] for name in value if name not in DAYS]
    if unknown:
        raise NotOpeningHours(_("Not a day: %(name)s. The days are mon to sun.") % {"name": unknown[0]})
    weekly = Weekly(tuple(read_ranges(value.get(name, [])) for name in DAYS))
    for number, ranges in enumerate(weekly.days):
        tomorrow = weekly.days[(number + 1) % 7]
        if ranges and tomorrow and ranges[-1].end - DAY_MIN > tomorrow[0].start:
            raise NotOpeningHours(_("The night of %(day)s goes on into the next day's hours.") % {"day": DAYS[number]})
    return weekly


def read_ranges(value: Any) -> tuple[Range, ...]:
    """The ranges of one day in order. Raises NotOpeningHours."""
    if not isinstance(value, (list, tuple)):
        raise NotOpeningHours(_("A list of times such as 09:00-18:00 is wanted."))
    if len(value) > MOST_RANGES:
        raise NotOpeningHours(_("At most %(most)d times a day.") % {"most": MOST_RANGES})
    ranges = sorted(_range(one) for one in value)
    for one, after in itertools.pairwise(ranges):
        if one.end > after.start:
            raise NotOpeningHours(_("%(one)s and %(other)s overlap.") % {"one": one, "other": after})
    return tuple(ranges)


def _range(value: Any) -> Range:
    match = _RANGE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise NotOpeningHours(_("Not a time such as 09:00-18:00: %(value)s") % {"value": str(value)[:40]})
    first, second, hour, minute, *midnight = match.groups()
    start = int(first) * 60 + int(second)
    end = DAY_MIN if midnight[0] else int(hour) * 60 + int(minute)
    if end == start and start:
        raise NotOpeningHours(_("%(value)s begins and ends at the same time.") % {"value": value})
    return Range(start, end if end > start else end + DAY_MIN)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
