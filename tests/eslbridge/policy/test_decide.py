"""The one function: what is dialled, what is not, and the reason in a word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eslbridge.policy import DestinationKind, Dial, DialAs, Moment, Rules, decide, toll_classes

US = Rules(country="US", external_allowed=True)
DE = Rules(country="DE", outside_prefix="0", external_allowed=True, allowed_countries=frozenset({"AT"}))
BR = Rules(country="BR", external_allowed=True)


def outside(number: str, rules: Rules = US, *, listed: bool = False) -> str:
    return decide(Dial(number, DestinationKind.EXTERNAL, listed=listed, rules=rules)).reason


def inside(number: str, rules: Rules = US, kind: str = "extension", **moment: frozenset[str]) -> str:
    return decide(Dial(number, kind, rules=rules, moment=Moment(**moment))).reason  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "number",
    [
        "1",
        "1001",
        "*991001",
        "*991112",
        "*991911",
        "#42",
        "7000",
        "123456",
        " 10 01 ",
        "1001#",
        "\uff11\uff10\uff10\uff11",
    ],
)
def test_own_numbers(number: str) -> None:
    """Extensions, boxes and feature codes of the domain are dialled, however they are written."""
    assert inside(number) == "ok"


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("8001", "secretary_loop"),
        ("8 0-0 1#", "secretary_loop"),
        ("911", "emergency"),
        ("0911", "emergency"),
        ("*67911", "emergency"),
        ("*8911", "emergency"),
        ("#112", "emergency"),
        ("8001*1", "secretary_loop"),
        ("8001*0#", "secretary_loop"),
        ("*678001", "secretary_loop"),
        ("*88001", "secretary_loop"),
        ("**8001", "secretary_loop"),
        ("1234567", "looks_external"),
        ("0119001234567", "looks_external"),
        ("*6712125551234", "looks_external"),
        ("*33100", "feature_code"),
        ("*3472", "feature_code"),
        ("+4930123456", "malformed"),
        ("1001,911", "malformed"),
        ("1001 XML public", "malformed"),
        ("1001\napi system", "malformed"),
        ("sip:1001@evil.example", "malformed"),
        ("", "malformed"),
        ("1" * 65, "malformed"),
    ],
)
def test_not_inside(number: str, reason: str) -> None:
    """Nothing that a dialplan would send outside, back to us, or to somebody who listens."""
    assert inside(number) == reason


def test_the_outside_line_is_not_an_extension() -> None:
    """With a prefix for an outside line, what begins with it leaves the domain."""
    assert inside("0301", DE) == "looks_external"
    assert inside("0", DE) == "ok"
    assert inside("0110", DE) == "emergency"


def test_a_range_that_begins_as_an_emergency_number() -> None:
    """Let through by prefix and dialled as at home, it would be one after three digits."""
    spain = Rules(country="ES", dial_as=DialAs.NATIONAL, allowed_prefixes=("+34",))
    assert outside("+34112345678", spain) == "emergency"
    assert outside("+34912345678", spain) == "ok"
    assert inside("*67110", DE) == "emergency" and inside("*67110", US) == "ok"


def test_another_secretary() -> None:
    """A call may go to another secretary, and not to one where it has been."""
    assert inside("8002", kind="secretary", visited=frozenset({"8001"})) == "ok"
    assert inside("8001", kind="secretary", visited=frozenset({"8001"})) == "secretary_loop"
    assert inside("1001", kind="secretary") == "malformed"


@pytest.mark.parametrize(
    ("number", "rules", "reason"),
    [
        ("(212) 555-1234", US, "ok"),
        ("+1 212 555 1234", US, "ok"),
        ("0030 123456", DE, "ok"),
        ("0 0043 1 5131234", DE, "ok"),
        ("(11) 98765-4321", BR, "ok"),
        ("0055 11 98765-4321", BR, "ok"),
        ("+442079460000", US, "country"),
        ("1-900-555-1234", US, "premium"),
        ("0900 1234567", DE, "premium"),
        ("0300 123 4567", BR, "premium"),
        ("+447001234567", US, "premium"),
        ("011 881 612345678", US, "satellite"),
        ("+870773123456", US, "satellite"),
        ("+8835100012345", US, "satellite"),
        ("+5353901234", US, "high_risk"),
        ("876 555 1234", US, "high_risk"),
        ("+999123456789", US, "malformed"),
        ("5551234", US, "malformed"),
        ("+12121111111", US, "invalid"),
        ("911", US, "emergency"),
        ("+911", US, "emergency"),
        ("0 112", DE, "emergency"),
        ("00112", DE, "emergency"),
        ("190", BR, "emergency"),
        ("8001", US, "secretary_loop"),
        ("08001", DE, "secretary_loop"),
        ("212555*34", US, "malformed"),
        ("1-800-FLOWERS", US, "malformed"),
    ],
)
def test_outside(number: str, rules: Rules, reason: str) -> None:
    """Public numbers by what they are, not by how they are written."""
    assert outside(number, rules) == reason


def test_permission() -> None:
    """Without the domain's permission only what an administrator has stored; with it, the countries chosen."""
    closed = Rules(country="US")
    assert outside("2125551234", closed) == "external"
    assert outside("2125551234", closed, listed=True) == "ok"
    assert outside("+4930123456", closed, listed=True) == "ok"
    assert outside("+4930123456", US) == "country"
    assert outside("+4930123456", replace(US, allowed_countries=frozenset({"DE"}))) == "ok"
    assert outside("+4930123456", replace(closed, allowed_prefixes=("+4930",))) == "ok"


def test_what_no_list_permits() -> None:
    """Stored or allowed: no emergency, no premium number, no satellite; and the domain's own blocks always hold."""
    generous = replace(US, allowed_prefixes=("+1", "881", "+49", "+53"), allowed_countries=frozenset({"CU", "DE"}))
    for number, reason in (("911", "emergency"), ("9005551234", "premium"), ("+881612345678", "satellite")):
        assert outside(number, generous, listed=True) == reason
    assert outside("+4930123456", replace(generous, blocked_prefixes=("+4930",)), listed=True) == "blocked"
    assert outside("+5353901234", generous) == "ok", "a country named by the domain is its own decision"
    assert outside("+5353901234", US, listed=True) == "high_risk"
    assert outside("2125551234", replace(US, own_numbers=frozenset({"+12125551234"})), listed=True) == "own_number"


@pytest.mark.parametrize(
    ("rules", "number", "dialled"),
    [
        (US, "(212) 555-1234", "+12125551234"),
        (replace(US, dial_as=DialAs.DIGITS), "212.555.1234", "12125551234"),
        (replace(US, dial_as=DialAs.NATIONAL, outside_prefix="9"), "9 212 555 1234", "912125551234"),
        (replace(DE, dial_as=DialAs.NATIONAL), "+49 30 123456", "0030123456"),
        (replace(DE, dial_as=DialAs.NATIONAL), "+43 1 5131234", "0004315131234"),
        (replace(US, dial_as=DialAs.NATIONAL, allowed_countries=frozenset({"DE"})), "+4930123456", "0114930123456"),
    ],
)
def test_what_is_judged_is_dialled(rules: Rules, number: str, dialled: str) -> None:
    """The switch gets the one form of the number, as the domain's routes want it."""
    decision = decide(Dial(number, "external", rules=rules))
    assert (decision.allowed, decision.dialled) == (True, dialled)


@pytest.mark.parametrize(
    ("number", "classes", "reason"),
    [
        ("2125551234", "local,domestic", "ok"),
        ("2125551234", "local", "ok"),
        ("4155551234", "local", "toll_allow"),
        ("4155551234", "domestic", "ok"),
        ("4155551234", "", "toll_allow"),
        ("4155551234", "gold, Domestic ", "ok"),
        ("+4930123456", "local,domestic", "toll_allow"),
        ("+4930123456", "international", "ok"),
        ("8005551234", "local", "ok"),
        ("1001", "", "ok"),
    ],
)
def test_toll_allow(number: str, classes: str, reason: str) -> None:
    """FusionPBX's classes of the caller, where they are known; the domain's own count beside them."""
    rules = replace(US, area_code="212", allowed_countries=frozenset({"DE"}))
    kind = "extension" if number == "1001" else "external"
    assert decide(Dial(number, kind, rules=rules, toll_allow=toll_classes(classes))).reason == reason
    both = replace(rules, toll_allow=toll_classes(classes))
    assert decide(Dial(number, kind, rules=both, toll_allow=toll_classes("local,domestic,international"))).reason == (
        reason
    )


@pytest.mark.parametrize(
    ("moment", "new_call", "inside_reason", "outside_reason"),
    [
        (Moment(in_call=10), False, "per_call", "per_call"),
        (Moment(in_call=9), False, "ok", "ok"),
        (Moment(external_hour=30), False, "ok", "per_hour"),
        (Moment(external_day=200), False, "ok", "per_day"),
        (Moment(calls=10, max_calls=10), False, "ok", "ok"),
        (Moment(calls=10, max_calls=10), True, "calls_full", "calls_full"),
        (Moment(seconds_left=19), False, "ok", "minutes"),
        (Moment(seconds_left=19), True, "minutes", "minutes"),
        (Moment(seconds_left=20), True, "ok", "ok"),
    ],
)
def test_limits(moment: Moment, new_call: bool, inside_reason: str, outside_reason: str) -> None:
    """Enough is enough: in a call, an hour, a day, of the domain's calls and minutes."""
    for number, kind, reason in (("1001", "extension", inside_reason), ("2125551234", "external", outside_reason)):
        assert decide(Dial(number, kind, rules=US, moment=moment, new_call=new_call)).reason == reason


def test_disabled_or_unknown() -> None:
    """A disabled destination, and a kind that nobody knows, are refused before anything else."""
    assert decide(Dial("1001", "extension", enabled=False)).reason == "disabled"
    assert decide(Dial("1001", "ufo")).reason == "unknown_kind"
