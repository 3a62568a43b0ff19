"""What a tool may do, decided outside of the model. Pure: what a model gave comes in, what will be done goes out.

A model proposes names; here they become the secretary's own destinations or nothing. What belongs to a service (who may
be dialled, when, how often) is judged there again: this is the first wall, not the only one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from secretary.services.numbers import digits_of, normal
from secretary.speech.contract import Place
from secretary.tools import names

DIGITS: Final = re.compile(r"[0-9*#]{1,20}\Z")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as the network shows it."""

    number: str = ""
    name: str = ""
    country_code: str = "1"

    @property
    def normal(self) -> str:
        """The number with its country code, digits alone; empty for a caller without one."""
        return normal(self.number, self.country_code)


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """Not done. `word` for the record, `detail` for the model, in English."""

    word: str
    detail: str


def judge(
    name: str,
    arguments: Mapping[str, Any],
    *,
    places: Sequence[Place],
    caller: Caller,
    other_numbers: bool = False,
) -> dict[str, Any]:
    """The arguments as they are carried out. Raises Refused.

    `other_numbers`: a callback may go to another number than the caller's; who may be dialled is judged after this.
    """
    allowed = dict(arguments)
    if "destination" in allowed:
        place = find_place(str(allowed.pop("destination")), places)
        allowed["destination_uuid"], allowed["destination"] = place.destination_uuid, place.name
    match name:
        case names.SEND_DTMF:
            allowed["digits"] = _keys(str(allowed.get("digits", "")))
        case names.REQUEST_CALLBACK:
            _callback(allowed, caller, other_numbers)
        case names.REMEMBER_CALLER:
            if not caller.normal:
                raise Refused("unknown_caller", "The caller's number is withheld: nothing can be remembered.")
    return allowed


def find_place(wanted: str, places: Sequence[Place]) -> Place:
    """The place of this name, alias or UUID. Raises Refused: a number is no place."""
    key = plain(wanted)
    for place in places:
        if wanted == place.destination_uuid or key in (plain(place.name), *map(plain, place.aliases)):
            return place
    known = ", ".join(place.name for place in places[:30]) or "nobody"
    raise Refused("unknown_destination", f"There is no such destination. There are: {known}.")


def plain(text: str) -> str:
    """A name without case, accents and what is not letter or digit."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.findall(r"\w+", "".join(letter for letter in apart if not unicodedata.combining(letter))))


def _keys(digits: str) -> str:
    pressed = re.sub(r"[\s-]", "", digits)
    if not DIGITS.match(pressed):
        raise Refused("invalid_arguments", "`digits` may hold 0 to 9, * and # alone, 20 at most.")
    return pressed


def _callback(arguments: dict[str, Any], caller: Caller, other_numbers: bool) -> None:
    if arguments.get("consent") is not True:
        raise Refused("no_consent", "Ask the caller whether they want to be called back, and call it again if so.")
    said = str(arguments.get("number", ""))
    given = digits_of(said)
    if given and normal(said, caller.country_code) != caller.normal:
        if other_numbers:
            arguments["number"] = f"+{given}" if said.lstrip().startswith("+") else given
            return
        raise Refused(
            "not_allowed",
            "Callbacks go to the number that the caller is calling from, no other. Offer to take a message instead.",
        )
    if not caller.normal:
        ask = "Ask for a number." if other_numbers else "Offer to take a message instead."
        raise Refused("unknown_caller", f"The caller's number is withheld. {ask}")
    arguments["number"] = caller.number
