"""A dialplan condition's date and time, as FreeSWITCH compares them (switch_xml.c, `switch_xml_std_datetime_check`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

FIELDS: Final[Mapping[str, Callable[[datetime], int]]] = {
    "year": lambda now: now.year,
    "mon": lambda now: now.month,
    "mday": lambda now: now.day,
    "wday": lambda now: now.isoweekday() % 7 + 1,  # 1 is Sunday
    "hour": lambda now: now.hour,
    "minute": lambda now: now.minute,
    "minute-of-day": lambda now: now.hour * 60 + now.minute + 1,  # 9:00 is 541
}
NOT_HERE: Final = frozenset({"date-time", "yday", "week", "mweek", "time-of-day", "tz-offset", "dst"})
"""What else FreeSWITCH knows: better to say so than to match at any time."""


def of(attributes: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The times among a condition's attributes. Raises ValueError for one that the stand-in does not know."""
    if unknown := NOT_HERE & attributes.keys():
        raise ValueError(f"the stand-in switch does not compare {', '.join(sorted(unknown))}")
    return tuple((name, attributes[name]) for name in FIELDS if name in attributes)


def match(times: tuple[tuple[str, str], ...], now: datetime) -> bool:
    return all(_is_in(text, FIELDS[name](now)) for name, text in times)


def _is_in(text: str, value: int) -> bool:
    """`2-6,1`; a range that ends before it begins goes round: `18-8`."""
    for part in text.split(","):
        first, dash, last = part.partition("-")
        low, high = int(first), int(last if dash else first)
        if low <= value <= high if low <= high else (value >= low or value <= high):
            return True
    return False
