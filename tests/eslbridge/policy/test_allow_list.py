"""A secretary's own list of public numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eslbridge.policy import Dial, Rules, decide
from eslbridge.policy.allow_list import on_list

LIST = ("+4930123456", "+1212*", "+53*", "+1900*", "+881*")


def with_list(number: str, rules: Rules | None = None, *, only: bool = False, listed: bool = False) -> str:
    dial = Dial(number, "external", listed=listed, rules=rules or Rules(), allow_list=LIST, allow_list_only=only)
    return decide(dial).reason


def test_without_the_domains_permission() -> None:
    """What is on the list is dialled, in whatever spelling; what is not needs the domain."""
    assert with_list("+49 30 123456") == "ok" and with_list("011 49 30 123456") == "ok"
    assert with_list("(212) 555-1234") == "ok"
    assert with_list("+493012345") == "external" and with_list("+493012345678") == "external"
    assert with_list("415 555 1234") == "external"
    assert with_list("415 555 1234", Rules(external_allowed=True)) == "ok"


def test_nothing_but_the_list() -> None:
    """Not what is stored, not what the domain permits, not what it always allows."""
    generous = Rules(external_allowed=True, allowed_prefixes=("+1415",))
    assert with_list("415 555 1234", generous, only=True, listed=True) == "allow_list"
    assert with_list("212 555 1234", generous, only=True) == "ok"
    nobody = Dial("212 555 1234", "external", listed=True, rules=generous, allow_list_only=True)
    assert decide(nobody).reason == "allow_list", "an empty list is nobody"
    assert decide(Dial("1001", "extension", rules=generous, allow_list_only=True)).allowed, "it is about outside"


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("9005551234", "premium"),
        ("+881612345678", "satellite"),
        ("+5353901234", "high_risk"),
        ("911", "emergency"),
        ("8001", "secretary_loop"),
        ("+12125550000", "own_number"),
        ("+12126660000", "blocked"),
    ],
)
def test_what_no_list_permits(number: str, reason: str) -> None:
    """A list is no way round what nobody may dial, or what the domain has blocked."""
    rules = Rules(own_numbers=frozenset({"+12125550000"}), blocked_prefixes=("+1212666",))
    assert with_list(number, rules) == reason and with_list(number, rules, only=True) == reason


@given(st.text("+*0123456789 ", max_size=20))
def test_odd_entries_let_nothing_through(entry: str) -> None:
    """Only a whole number, or a country's beginning with its star at the end, is an entry."""
    if on_list("+4930123456", [entry]):
        assert entry == "+4930123456" or (entry.endswith("*") and "+4930123456".startswith(entry[:-1]) and entry > "+*")
