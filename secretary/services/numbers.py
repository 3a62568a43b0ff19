"""When two telephone numbers are the same one: `+55 11 98765-0001`, `011987650001` and `0 15 11 98765-0001`.

Not a numbering plan of the world: enough to find a caller again by the ways in which a switch shows them. What looks
different in doubt is different, so that nobody's data is given out or erased for another's.
"""

from __future__ import annotations

import re
from typing import Final

SHORTEST: Final = 8
"""Digits of a public number; fewer are an extension of the domain's own switch."""
_NORTH_AMERICA: Final = "1"
_BRAZIL: Final = "55"


def digits_of(number: str) -> str:
    """The digits of a number as SIP or people write it; of a SIP URI those of its user part."""
    user = number.partition("@")[0]
    return re.sub(r"[^0-9]", "", user)


def normal(number: str, country_code: str) -> str:
    """The number with its country code and without anything else; empty where there is none (an anonymous caller)."""
    digits = digits_of(number)
    if not digits or len(digits) < SHORTEST:
        return digits
    if re.match(r"\s*(?:sips?:|tel:)?\s*\+", number):
        return digits
    if digits.startswith("00"):
        return digits[2:]
    if country_code == _NORTH_AMERICA:
        return _NORTH_AMERICA + digits if len(digits) == 10 else digits
    if country_code == _BRAZIL:
        return _brazilian(digits)
    if digits.startswith("0"):
        return country_code + digits[1:]
    if digits.startswith(country_code) and len(digits) >= len(country_code) + SHORTEST:
        return digits
    return country_code + digits


def _brazilian(digits: str) -> str:
    """An area code of two digits and eight or nine more; after the trunk's 0 there may be a carrier's two."""
    if digits.startswith("0"):
        digits = digits[1:]
        if len(digits) in (12, 13):
            digits = digits[2:]
    if len(digits) in (10, 11):
        return _BRAZIL + digits
    return digits


def ending(number: str) -> str:
    """The digits that every way of writing a number ends with: to look for candidates."""
    return digits_of(number)[-SHORTEST:]
