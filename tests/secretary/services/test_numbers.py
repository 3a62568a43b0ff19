"""One number in the ways that switches show it; different numbers stay different."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secretary.services.numbers import ending, normal

SAO_PAULO = "5511987650001"


@pytest.mark.parametrize(
    "written",
    [
        "+5511987650001", "+55 (11) 98765-0001", "005511987650001", "5511987650001", "011987650001", "11987650001",
        "0151198765 0001", "0 15 11 98765-0001", "sip:+5511987650001@acme.example", "tel:+55-11-98765-0001",
    ],
)  # fmt: skip
def test_brazil(written: str) -> None:
    """With and without country, trunk and carrier."""
    assert normal(written, "55") == SAO_PAULO
    assert written.partition("@")[0].replace("-", "").replace(" ", "").endswith(ending(written))


@pytest.mark.parametrize(
    ("written", "country", "same"),
    [
        ("(415) 555-0100", "1", "14155550100"),
        ("1 415 555 0100", "1", "14155550100"),
        ("+14155550100", "55", "14155550100"),
        ("030 1234567", "49", "49301234567"),
        ("0049 30 1234567", "49", "49301234567"),
        ("+49 30 1234567", "1", "49301234567"),
        ("1000", "55", "1000"),
        ("anonymous", "55", ""),
        ("", "1", ""),
    ],
)
def test_elsewhere(written: str, country: str, same: str) -> None:
    """Other countries, extensions, and callers without a number."""
    assert normal(written, country) == same


@given(st.text(max_size=40), st.sampled_from(["1", "55", "49"]))
def test_any_header(text: str, country: str) -> None:
    """Whatever SIP brings, the result is digits, and normal already with a plus."""
    found = normal(text, country)
    assert found == "" or (found.isascii() and found.isdigit())
    if len(found) >= 8:
        assert normal(f"+{found}", country) == found


@given(st.integers(10**10, 99 * 10**9), st.integers(10**10, 99 * 10**9))
def test_different_stay_different(one: int, other: int) -> None:
    """Two Brazilian numbers are the same only when their digits are."""
    assert (normal(str(one), "55") == normal(str(other), "55")) == (one == other)
