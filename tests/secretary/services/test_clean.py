"""Foreign text becomes storable, whatever it was."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from secretary.services import clean

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
    max_leaves=30,
)


@given(st.text(st.characters(exclude_categories=())), st.integers(1, 50))
def test_line_is_short_and_one_line(value: str, length: int) -> None:
    """No NUL, no line break, no lone surrogate, and no longer than its column."""
    cleaned = clean.line(value, length)
    assert len(cleaned) <= length
    assert not set(cleaned) & set("\0\r\n\t\x1b\x7f")
    cleaned.encode("utf-8")


@given(anything)
def test_json_is_what_postgresql_takes(value: object) -> None:
    """Whatever an event's detail holds, it can be written as jsonb: strict JSON without NUL."""
    text = json.dumps(clean.json_value(value), allow_nan=False)
    assert "\\u0000" not in text


def test_size_is_bounded() -> None:
    """A detail that grows without end is cut in width and depth."""
    wide = clean.json_value({str(i): ["x" * 10_000] * 1_000 for i in range(1_000)})
    assert isinstance(wide, dict) and len(wide) == clean.MAX_ITEMS
    assert len(wide["0"]) == clean.MAX_ITEMS and len(wide["0"][0]) == clean.MAX_STRING


@given(st.floats() | st.integers(-(2**70), 2**70))
def test_milliseconds_fit_their_column(value: float) -> None:
    """Whole, not negative, within PostgreSQL's integer."""
    assert 0 <= clean.milliseconds(value) <= clean.MAX_INTEGER
