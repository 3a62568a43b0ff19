"""What a domain permits, what is known about the moment, and what somebody wants to dial. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from eslbridge.policy.kinds import DestinationKind


class DialAs(StrEnum):
    """How the domain's telephone system wants public numbers."""

    E164 = "e164"
    """+4930123456"""
    DIGITS = "digits"
    """4930123456"""
    NATIONAL = "national"
    """As on a telephone of the country: outside prefix, trunk prefix, number; abroad with 00 or 011."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a domain permits. The defaults are those of a domain that has said nothing: its own extensions, and what an
    administrator has stored as an external destination."""

    country: str = "US"
    """ISO code: where numbers without a country code are at home."""
    area_code: str = ""
    """Numbers of this area are `local` for toll_allow; empty: none is."""
    outside_prefix: str = ""
    dial_as: str = DialAs.E164
    internal_digits: int = 6
    """A number inside the domain has no more: seven digits are a public number in many dialplans."""
    external_allowed: bool = False
    allowed_countries: frozenset[str] = frozenset()
    """Beside the domain's own."""
    allowed_prefixes: tuple[str, ...] = ()
    """E.164 digits, with or without the plus."""
    blocked_prefixes: tuple[str, ...] = ()
    own_numbers: frozenset[str] = frozenset()
    """E.164: the domain's own public numbers, which lead back to a secretary."""
    toll_allow: frozenset[str] | None = None
    """FusionPBX's classes that secretaries have; None: not used."""
    per_call: int = 10
    external_per_hour: int = 30
    external_per_day: int = 200


@dataclass(frozen=True, slots=True)
class Moment:
    """What has been dialled and used so far. None: not known here, and not judged."""

    in_call: int | None = None
    """Dials of this call."""
    external_hour: int | None = None
    external_day: int | None = None
    calls: int | None = None
    max_calls: int | None = None
    seconds_left: float | None = None
    """Of the domain's minutes and money."""
    visited: frozenset[str] = frozenset()
    """8XXX where this call has been."""


@dataclass(frozen=True, slots=True)
class Dial:
    """A wish to dial."""

    number: str
    kind: str = DestinationKind.EXTENSION
    enabled: bool = True
    listed: bool = False
    """An administrator has stored this very number as an external destination."""
    allow_list: tuple[str, ...] = ()
    """The secretary's own: see `eslbridge.policy.allow_list`."""
    allow_list_only: bool = False
    """Nothing else outside, whatever the domain permits or has stored."""
    new_call: bool = False
    """It makes a call where there was none (originate, callback), and takes a slot of the domain."""
    toll_allow: frozenset[str] | None = None
    """The caller's classes; None: the call came from outside, or FusionPBX does not use them."""
    rules: Rules = field(default_factory=Rules)
    moment: Moment = field(default_factory=Moment)


def toll_classes(text: str | None) -> frozenset[str] | None:
    """FusionPBX's `toll_allow`, a list with commas; None where there is none."""
    if text is None:
        return None
    return frozenset(part for part in (piece.strip().lower() for piece in text.split(",")) if part)
