"""What the platform dials, and what it does not: the last word, outside every model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eslbridge.policy import DestinationKind, check_destination, check_number

INSIDE = [kind for kind in DestinationKind if kind not in (DestinationKind.EXTERNAL, DestinationKind.SECRETARY)]


@pytest.mark.parametrize("number", ["1", "1001", "*991001", "#42", "100", "7000", "80011", "12345678901234567890"])
@pytest.mark.parametrize("kind", INSIDE)
def test_numbers_of_a_pbx(number: str, kind: DestinationKind) -> None:
    """Extensions, groups, queues and feature codes are dialled."""
    assert check_number(number, kind).reason == "ok"


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("", "malformed"),
        ("1001 XML public", "malformed"),
        ("1001\napi system", "malformed"),
        ("1001\n", "malformed"),
        ("\uff11\uff10\uff10\uff11", "malformed"),
        ("+4930123456", "malformed"),
        ("sip:1001@evil.example", "malformed"),
        ("123456789012345678901", "malformed"),
        ("8001", "secretary_loop"),
        ("8999", "secretary_loop"),
        ("911", "emergency"),
        ("112", "emergency"),
        ("190", "emergency"),
    ],
)
@pytest.mark.parametrize("kind", INSIDE)
def test_what_is_not_dialled_inside(number: str, reason: str, kind: DestinationKind) -> None:
    """Only digits, star and hash; never back to a secretary; never an emergency number."""
    decision = check_number(number, kind)
    assert (decision.allowed, decision.reason) == (False, reason)


def test_external_only_by_an_administrators_word() -> None:
    """A number outside is dialled for a stored, enabled destination of that kind, and for nothing else."""
    for allowed, reason in ((False, "external"), (True, "ok")):
        decision = check_destination(number="+4930123456", kind="external", enabled=True, external_allowed=allowed)
        assert (decision.allowed, decision.reason) == (allowed, reason)
    decision = check_destination(number="+112", kind="external", enabled=True, external_allowed=True)
    assert decision.reason == "emergency"
    # The permission for one kind does not loosen another.
    decision = check_destination(number="+4930123456", kind="extension", enabled=True, external_allowed=True)
    assert decision.reason == "malformed"


def test_disabled_or_unknown() -> None:
    """A disabled destination, and a kind that nobody knows, are refused."""
    assert check_destination(number="1001", kind="extension", enabled=False).reason == "disabled"
    assert check_destination(number="1001", kind="ufo", enabled=True).reason == "unknown_kind"


@given(st.text(max_size=40), st.sampled_from(DestinationKind))
def test_whatever_is_allowed_is_safe_to_send(number: str, kind: DestinationKind) -> None:
    """What passes has nothing in it that ends an argument, a line or an expression; the answer is always the same."""
    decision = check_number(number, kind)
    assert decision == check_number(number, kind)
    if decision.allowed:
        assert number.isascii() and set(number) <= set("0123456789*#+") and len(number) <= 21
