"""Numbers of every country that the library has an example of: what costs money is not dialled, what does not is."""

from __future__ import annotations

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from eslbridge.policy import Dial, Rules, decide
from eslbridge.policy.ranges import HIGH_RISK_COUNTRIES, HIGH_RISK_PREFIXES

COUNTRIES = sorted(phonenumbers.SUPPORTED_REGIONS)
COSTLY = (
    PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.PERSONAL_NUMBER, PhoneNumberType.PAGER,
)  # fmt: skip


def examples(*kinds: int) -> list[tuple[str, str]]:
    """Country and number, written with its country code."""
    found = []
    for country in COUNTRIES:
        for kind in kinds:
            number = phonenumbers.example_number_for_type(country, kind)
            if number is not None and phonenumbers.number_type(number) == kind:
                found.append((country, phonenumbers.format_number(number, PhoneNumberFormat.E164)))
    return found


def reason(number: str, rules: Rules, *, listed: bool = False, allow_list: tuple[str, ...] = ()) -> str:
    return decide(Dial(number, "external", listed=listed, rules=rules, allow_list=allow_list)).reason


def test_costly_numbers_of_every_country() -> None:
    """Premium, shared cost, personal and paging: not stored, not on a secretary's list, not of a country permitted."""
    costly = examples(*COSTLY)
    assert len(costly) > 150
    for country, number in costly:
        rules = Rules(country=country, external_allowed=True, allowed_countries=frozenset({country}))
        for listed, allow_list in ((False, ()), (True, ()), (True, (number,))):
            said = reason(number, rules, listed=listed, allow_list=allow_list)
            assert said in ("premium", "high_risk"), (country, number, said)


def test_networks_of_no_country() -> None:
    """Inmarsat, Iridium, Globalstar and what else has a country code of its own."""
    rules = Rules(external_allowed=True, allowed_prefixes=("+870", "+881", "+882", "+883", "+878", "+979"))
    for code in phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS:
        number = phonenumbers.example_number_for_non_geo_entity(code)
        assert number is not None
        text = phonenumbers.format_number(number, PhoneNumberFormat.E164)
        said = reason(text, rules, listed=True, allow_list=(text,))
        assert said in ("satellite", "premium") or code == 800, (text, said)


def test_ordinary_numbers_of_every_country() -> None:
    """At home they are dialled, abroad where the domain names the country; a risky one is never taken by accident."""
    ordinary = examples(PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE)
    assert len(ordinary) > 350
    abroad = Rules(country="XX", external_allowed=True)
    for country, number in ordinary:
        risky = country in HIGH_RISK_COUNTRIES or number[1:].startswith(HIGH_RISK_PREFIXES)
        assert reason(number, abroad) == ("high_risk" if risky else "country"), (country, number)
        home = phonenumbers.region_code_for_number(phonenumbers.parse(number)) or country
        for rules in (Rules(country=home, external_allowed=True), abroad_with(home)):
            assert reason(number, rules) == "ok", (country, number)


def abroad_with(country: str) -> Rules:
    return Rules(country="XX", external_allowed=True, allowed_countries=frozenset({country}))


@pytest.mark.parametrize("country", ["CU", "SO", "GW", "MV", "KP"])
def test_risky_countries_are_not_listed_by_the_way(country: str) -> None:
    """Neither as a stored destination nor on a list: the domain must name the country."""
    for kind in (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE):
        number = phonenumbers.example_number_for_type(country, kind)
        if number is not None:
            text = phonenumbers.format_number(number, PhoneNumberFormat.E164)
            assert reason(text, Rules(external_allowed=True), listed=True, allow_list=(text,)) == "high_risk"
            assert reason(text, abroad_with(country)) == "ok"
