"""What a call's tools are made of: values read once at its beginning, no database behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from secretary.profiles import HttpToolProfile, SecretaryProfile
from secretary.speech.contract import Place
from secretary.tools import names
from secretary.tools.policy import Caller


@dataclass(frozen=True, slots=True)
class Setup:
    """One secretary's tools in one call."""

    domain_uuid: UUID
    secretary_uuid: UUID
    secretary_name: str
    call_uuid: str
    language: str
    time_zone: str
    facts: str
    """About the business, in the tenant's words."""
    chosen: tuple[str, ...]
    own: tuple[HttpToolProfile, ...] = ()
    places: tuple[Place, ...] = ()
    remembers: bool = False
    records: bool = False
    """Whether sound is kept: of the call, or of a message that is left in it."""
    other_numbers: bool = False
    """Whether a callback may go to another number than the caller's."""
    caller: Caller = field(default_factory=Caller)


@dataclass(slots=True)
class Kept:
    """What the caller told of themselves, as far as tools were given it: the last word counts."""

    values: dict[str, str] = field(default_factory=dict)

    def take(self, arguments: Mapping[str, Any]) -> None:
        for name, given in (
            ("name", arguments.get("name") or arguments.get("caller_name")),
            ("number", arguments.get("number")),
            ("reason", arguments.get("reason")),
            ("urgency", arguments.get("urgency")),
        ):
            if given:
                self.values[name] = str(given)[:200]


def setup_of(profile: SecretaryProfile, *, call_uuid: str, caller_number: str, caller_name: str) -> Setup:
    """The tools that a secretary has in a call."""
    return Setup(
        domain_uuid=profile.domain_uuid,
        secretary_uuid=profile.secretary_uuid,
        secretary_name=profile.name,
        call_uuid=call_uuid,
        language=profile.language,
        time_zone=profile.time_zone,
        facts=profile.prompt,
        chosen=profile.tools,
        own=profile.own_tools,
        places=tuple(Place(str(place.destination_uuid), place.name, place.aliases) for place in profile.destinations),
        remembers=profile.remembers_callers,
        records=profile.record_calls or names.TAKE_MESSAGE in profile.tools,
        other_numbers=profile.callback_other_numbers,
        caller=Caller(caller_number, caller_name, profile.country_code),
    )
