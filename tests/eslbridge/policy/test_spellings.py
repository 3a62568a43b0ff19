"""No spelling of a number gets round a block: whatever is typed, it is judged as what is dialled."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers.phonemetadata import PhoneMetadata

from eslbridge.policy import DestinationKind, Dial, DialAs, Rules, decide
from eslbridge.policy.numbers import cleaned, world_number
from eslbridge.policy.ranges import SATELLITE_PREFIXES

COUNTRIES = {"US": "011", "DE": "00", "BR": "00", "GB": "00", "AU": "0011", "IN": "00"}
ZEROS = [chr(code) for code in range(0x110000) if unicodedata.decimal(chr(code), None) == 0]
"""The zero of every script that has digits."""
BETWEEN = ["", " ", "-", ".", "/", "\u00a0", "\u2009", "\u200b", "\u2011", "\u2013", "\u2060", "\u00ad", "()", "\u202a"]

# E.164, and why nobody gets it.
BLOCKED = {
    "+19005551234": "premium",
    "+498001234567": "blocked",
    "+449098790123": "premium",
    "+881612345678": "satellite",
    "+870773123456": "satellite",
    "+979123456789": "satellite",
    "+5353901234": "high_risk",
    "+18765551234": "high_risk",
    "+25261123456": "high_risk",
    "+33142685300": "country",
}
RULES = Rules(external_allowed=True, blocked_prefixes=("+49800",))


@st.composite
def spelled(draw: st.DrawFn, digits: str) -> str:
    """Digits in some script, with anything between them that people and programs put there, and a # at the end."""
    zero = ord(draw(st.sampled_from(ZEROS)))
    between = draw(st.lists(st.sampled_from(BETWEEN), min_size=len(digits), max_size=len(digits)))
    parts = [chr(zero + int(digit)) + after for digit, after in zip(digits, between, strict=True)]
    end = draw(st.sampled_from(["", "#", "##", " # "]))
    return draw(st.sampled_from(["", " ", "\u200e"])) + "".join(parts) + end


@given(st.data(), st.sampled_from(sorted(BLOCKED)), st.sampled_from(sorted(COUNTRIES)), st.sampled_from(["", "9", "0"]))
@settings(max_examples=200)
def test_no_spelling_gets_round_a_block(data: st.DataObject, e164: str, country: str, outside: str) -> None:
    """With +, with 00 or 011, with an outside line, in Arabic digits, with invisible letters in between."""
    rules = replace(RULES, country=country, outside_prefix=outside)
    lead = data.draw(st.sampled_from(["+", "\uff0b", COUNTRIES[country], outside + COUNTRIES[country], "00"]))
    plus = lead in ("+", "\uff0b")
    text = lead + data.draw(spelled(e164[1:])) if plus else data.draw(spelled(lead + e164[1:]))
    for listed in (False, BLOCKED[e164] != "country"):
        decision = decide(Dial(text, DestinationKind.EXTERNAL, listed=listed, rules=rules))
        if decision.allowed:
            # It can be read as another number, which is then judged and dialled: 0 05353901234 in Brazil.
            assert decision.e164 != e164, (text, rules, decision)
            assert decide(Dial(decision.e164, DestinationKind.EXTERNAL, listed=listed, rules=rules)).allowed


@given(st.data(), st.sampled_from(["911", "112", "190", "999", "000", "110"]), st.sampled_from(sorted(COUNTRIES)))
@settings(max_examples=100)
def test_no_spelling_of_an_emergency_number(data: st.DataObject, number: str, country: str) -> None:
    """Outside always; inside where the country or the whole world has it."""
    rules = Rules(country=country, external_allowed=True, allowed_prefixes=("+1", "+49", "+55"))
    text = data.draw(spelled(data.draw(st.sampled_from(["", "0", "00"])) + number))
    assert not decide(Dial(text, DestinationKind.EXTERNAL, listed=True, rules=rules)).allowed
    if number != "110":
        assert decide(Dial(text, DestinationKind.EXTENSION, rules=rules)).reason == "emergency"


def numbers_of_emergency() -> list[tuple[str, str]]:
    """Country and number, of the whole world: what the library knows of two to five digits beside its example."""
    found = []
    for country in sorted(phonenumbers.SUPPORTED_REGIONS):
        metadata = PhoneMetadata.short_metadata_for_region(country, None)
        pattern = metadata.emergency.national_number_pattern if metadata is not None and metadata.emergency else None
        known = (
            number
            for number in (*(f"{n:0{size}}" for size in (2, 3) for n in range(10**size)), "1122", "10111", "1669")
            if pattern and re.fullmatch(pattern, number)
        )
        found += [(country, number) for number in known]
    return found


def test_emergency_numbers_of_every_country() -> None:
    """Of over 200 countries: never dialled from that country, outside or inside, behind an outside line or a feature
    code, and from no other country by its country code."""
    everywhere = numbers_of_emergency()
    assert len({country for country, _number in everywhere}) > 200
    for country, number in everywhere:
        code = phonenumbers.country_code_for_region(country)
        for prefix in ("", "0", "9"):
            rules = Rules(country=country, external_allowed=True, outside_prefix=prefix)
            for text in (number, prefix + number, "+" + number):
                for listed in (False, True):
                    decision = decide(Dial(text, "external", listed=listed, rules=rules))
                    assert decision.reason in ("emergency", "malformed"), (country, text, decision)
            for text in (number, "*67" + number, "0" + number.lstrip("0") if number.strip("0") else number):
                decision = decide(Dial(text, "extension", rules=rules))
                assert decision.reason in ("emergency", "looks_external"), (country, text, decision)
        generous = Rules(country="US", external_allowed=True, allowed_prefixes=(f"+{code}",))
        for text in (f"+{code}{number}", f"011{code}{number}", f"00{code}{number}"):
            assert not decide(Dial(text, "external", listed=True, rules=generous)).allowed, (country, text)


@given(st.data(), st.integers(8000, 8999))
@settings(max_examples=50)
def test_no_spelling_leads_back(data: st.DataObject, number: int) -> None:
    """8XXX, in any spelling, as any kind but a secretary."""
    text = data.draw(spelled(str(number)))
    for kind in ("extension", "ring_group", "queue", "ivr", "voicemail", "external"):
        assert not decide(Dial(text, kind, listed=True, rules=Rules(external_allowed=True))).allowed


@given(st.text(max_size=70), st.sampled_from(DestinationKind), st.sampled_from(sorted(COUNTRIES)), st.booleans())
@settings(max_examples=300)
def test_whatever_is_dialled_is_safe_and_the_same_again(
    text: str, kind: DestinationKind, country: str, listed: bool
) -> None:
    """What goes to the switch has nothing in it that ends an argument; and judged again, it is allowed again."""
    rules = Rules(country=country, external_allowed=True)
    decision = decide(Dial(text, kind, listed=listed, rules=rules))
    assert decision == decide(Dial(text, kind, listed=listed, rules=rules))
    if decision.allowed:
        assert decision.dialled.isascii() and set(decision.dialled) <= set("0123456789*#+")
        assert 0 < len(decision.dialled) <= 21
        assert decide(Dial(decision.dialled, kind, listed=listed, rules=rules)).dialled == decision.dialled


@given(
    st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True), st.sampled_from(DialAs), st.sampled_from(sorted(COUNTRIES))
)
@settings(max_examples=200)
def test_what_is_dialled_is_what_was_judged(number: str, form: DialAs, country: str) -> None:
    """In every form that routes want, the digits are those of the number that was judged."""
    rules = Rules(country=country, external_allowed=True, dial_as=form, allowed_prefixes=(number[:4],))
    decision = decide(Dial(number, DestinationKind.EXTERNAL, rules=rules))
    if decision.allowed:
        assert not decision.e164[1:].startswith(SATELLITE_PREFIXES)
        meant = world_number(decision.e164, country)
        assert meant is not None and decision.dialled.endswith(meant.national)


@pytest.mark.parametrize(
    "text",
    ["1001p911", "1001;phone-context=1", "1001,,911", "12\u00bd", "10\u204401", "\u2460", "\u2167001", "+1+2", "a"],
)
def test_cleaning_adds_nothing(text: str) -> None:
    """Pauses, letters and signs are not separators: a number with them is none."""
    assert cleaned(text) in ("", "1") and decide(Dial(text, "external", listed=True)).allowed is False
