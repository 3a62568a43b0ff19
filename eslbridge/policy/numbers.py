"""One number, one spelling: from whatever was typed, stored, said or sent to what is judged and then dialled.

The rule that makes every block hold: a number is brought into its one form first, the form is judged, and the form is
what the switch is told. A spelling that is read wrongly is dialled wrongly, and never past a block.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType, ValidationResult
from phonenumbers.phonemetadata import PhoneMetadata

SEPARATORS: Final = frozenset("./()[]\u2212\u00b7\u2022")
"""Beside dashes and spaces of every kind. No comma, no semicolon: telephones wait there and dial on."""
LONGEST: Final = 64
"""Characters that anybody needs for a number, with all its separators."""
FALLBACK_COUNTRY: Final = "US"


@dataclass(frozen=True, slots=True)
class World:
    """A number of the public network."""

    e164: str
    """With its plus."""
    region: str
    """ISO code; `001` where it belongs to no country, empty where the library knows none."""
    kind: str
    """premium, shared, personal, pager, toll_free, mobile, fixed, other."""
    national: str
    """Its digits inside its country."""
    area_code: str
    valid: bool
    """The library knows the range. A possible number that is not valid may be new, or may be made up."""


_KINDS: Final = {
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "shared",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed",
}


def cleaned(text: str) -> str:
    """Digits, `*`, `#` and one leading `+` of a number as people write it; empty where there is anything else in it.

    Digits of every script are digits, full-width signs are signs, separators and invisible characters are nothing, and
    the `#` that ends dialling is not part of the number.
    """
    if not 0 < len(text) <= LONGEST:
        return ""
    kept: list[str] = []
    for letter in unicodedata.normalize("NFKC", text):
        if (digit := unicodedata.decimal(letter, None)) is not None:
            kept.append(str(digit))
        elif letter in "*#+":
            kept.append(letter)
        elif letter not in SEPARATORS and unicodedata.category(letter) not in ("Cf", "Zs", "Pd"):
            return ""
    number = "".join(kept).rstrip("#")
    return "" if "+" in number[1:] else number


def country_known(country: str) -> bool:
    return country in phonenumbers.SUPPORTED_REGIONS


def readings(number: str, country: str, outside_prefix: str = "") -> list[str]:
    """What a cleaned number could mean, the likeliest first: with its outside line prefix, and without."""
    if number.startswith("+") or not outside_prefix:
        return [number]
    rest = number.removeprefix(outside_prefix)
    return [number, rest] if rest and rest != number else [number]


def _meanings(number: str, country: str, outside_prefix: str) -> list[str]:
    """The readings, and after them `00` as what half the world dials before a country code, wherever we are."""
    found = readings(number, country, outside_prefix)
    return found + ["+" + text[2:] for text in found if text.startswith("00")]


@lru_cache(maxsize=4096)
def world_number(number: str, country: str, outside_prefix: str = "") -> World | None:
    """The public number that a cleaned one means in a country; None where it cannot be one.

    Of two readings the valid one, of two valid ones the one that was written.
    """
    found = [world for text in _meanings(number, country, outside_prefix) if (world := _parse(text, country))]
    return next((world for world in found if world.valid), found[0] if found else None)


def _parse(number: str, country: str) -> World | None:
    if "*" in number or "#" in number:
        return None
    try:
        parsed = phonenumbers.parse(number, country if country_known(country) else FALLBACK_COUNTRY)
    except NumberParseException:
        return None
    # Not what is possible inside an area alone: nobody knows which one.
    if parsed.extension or phonenumbers.is_possible_number_with_reason(parsed) != ValidationResult.IS_POSSIBLE:
        return None
    return _world(parsed)


def _world(parsed: PhoneNumber) -> World:
    region = phonenumbers.region_code_for_number(parsed) or ""
    if not region:
        # Of a shared code (+1, +7, +44 …) the main country, so that an unknown range is not of no country at all.
        main = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
        region = "" if main in (None, "ZZ") else str(main)
    national = phonenumbers.national_significant_number(parsed)
    digits = phonenumbers.length_of_geographical_area_code(parsed)
    return World(
        e164=phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164),
        region=region,
        kind=_KINDS.get(phonenumbers.number_type(parsed), "other"),
        national=national,
        area_code=national[:digits],
        valid=phonenumbers.is_valid_number(parsed),
    )


def international_prefix(country: str) -> str:
    """How one dials abroad from a country: `011`, `00`. A country with several has `00`."""
    metadata = PhoneMetadata.metadata_for_region(country, None)
    if metadata is None:
        return "00"
    preferred = metadata.preferred_international_prefix or metadata.international_prefix or ""
    return preferred if preferred.isdigit() else "00"


def trunk_prefix(country: str) -> str:
    """What stands before a number of another area inside a country: `0`, `1`, nothing."""
    return phonenumbers.ndd_prefix_for_region(country, True) or ""
