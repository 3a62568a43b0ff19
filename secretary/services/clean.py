"""Make foreign text storable. A SIP header must never cost a call: what does not fit is mended, not refused."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LINE_BREAKS = re.compile(r"[\t\r\n]+")
MAX_DEPTH: Final = 5
MAX_ITEMS: Final = 100
MAX_STRING: Final = 2_000
MAX_TRANSCRIPT: Final = 10_000
"""Characters kept of one utterance, message or prompt."""
MAX_INTEGER: Final = 2**31 - 1


def line(value: str, max_length: int) -> str:
    """One line: no control characters, at most `max_length` characters."""
    return _LINE_BREAKS.sub(" ", text(value, max_length)).strip()


def text(value: str, max_length: int = MAX_TRANSCRIPT) -> str:
    """Text of several lines, as PostgreSQL takes it: no NUL, no lone surrogates, at most `max_length` characters."""
    valid = value.encode("utf-8", "replace").decode("utf-8")
    return _CONTROL.sub("", valid)[:max_length]


def milliseconds(value: float) -> int:
    """A time as a column takes it: whole, not negative."""
    if not math.isfinite(value):
        return 0
    return min(MAX_INTEGER, max(0, round(value)))


def json_value(value: object, depth: int = MAX_DEPTH) -> object:
    """A value as jsonb takes it: strings cleaned, bounded in depth and width, anything odd as its text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping) and depth:
        items = list(value.items())[:MAX_ITEMS]
        return {line(str(key), 100): json_value(item, depth - 1) for key, item in items}
    if isinstance(value, (list, tuple)) and depth:
        return [json_value(item, depth - 1) for item in value[:MAX_ITEMS]]
    return text(str(value), MAX_STRING)


def json_object(value: Mapping[str, object]) -> dict[str, object]:
    """The same for a whole object."""
    cleaned = json_value(value)
    return cleaned if isinstance(cleaned, dict) else {}
