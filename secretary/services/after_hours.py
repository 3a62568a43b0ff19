"""Out of hours: who answers a call instead, with which words, or nobody. Decided at admission, before a slot is taken.

Everything needed is in the profile; only another secretary costs a look into the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from eslbridge import dialling
from secretary.errors import CallRefused, ClosedNow
from secretary.models import ClosedAction
from secretary.opening.timetable import Opening
from secretary.opening.words import closed_sentence
from secretary.profiles import SecretaryProfile
from secretary.selectors.calls import resolve_secretary

HELLO = {"en": "Hello, this is {name}.", "pt-br": "Olá, aqui é {name}."}
TAKE_MESSAGE = {
    "en": "If you like, I can take a message: just say yes.",
    "pt-br": "Se quiser, posso anotar um recado: é só dizer sim.",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """Who answers, and what is written into the call's timeline about it; empty where it is open."""

    profile: SecretaryProfile
    note: Mapping[str, object] = field(default_factory=dict)


def settle(profile: SecretaryProfile, call_uuid: UUID | None = None) -> Taken:
    """What a secretary's rule for closed hours makes of a call.

    Raises ClosedNow where nobody is to answer, with the number for the caller; and CallRefused where the other
    secretary cannot answer either way.
    """
    opening = profile.opening
    if opening is None or opening.open:
        return Taken(profile)
    note = note_of(opening, profile.closed_action)
    match profile.closed_action:
        case ClosedAction.FALLBACK:
            raise ClosedNow(
                f"{profile.name} is closed.", number=_number(profile, call_uuid), context=profile.domain_name
            )
        case ClosedAction.MESSAGE:
            greeting = profile.closed_greeting or closed_greeting(opening, profile)
            return Taken(replace(profile, greeting=greeting, destinations=(), message_only=True), note)
        case ClosedAction.SECRETARY if profile.closed_secretary_uuid is not None:
            try:
                other = resolve_secretary(
                    domain_uuid=profile.domain_uuid,
                    secretary_uuid=profile.closed_secretary_uuid,
                    extension=profile.extension,
                )
            except CallRefused:
                # Switched off, or deleted: better the one who was called than nobody.
                return Taken(profile, {**note, "action": ClosedAction.ANSWER.value})
            return Taken(other, {**note, "secretary": other.name})
    return Taken(profile, note)


def _number(profile: SecretaryProfile, call_uuid: UUID | None) -> str:
    """The number out of hours in the form that is dialled; empty where there is none, or the policy refuses it."""
    if not profile.closed_number:
        return ""
    kind, _decision = dialling.kind_of(domain_uuid=profile.domain_uuid, number=profile.closed_number)
    return dialling.ask(
        domain_uuid=profile.domain_uuid,
        number=profile.closed_number,
        kind=kind,
        listed=True,
        call_uuid=call_uuid,
        secretary_uuid=profile.secretary_uuid,
    ).dialled


def closed_greeting(opening: Opening, profile: SecretaryProfile) -> str:
    """The platform's own words: who is here, that it is closed and when it opens, and a message."""
    language = "pt-br" if profile.language.lower().startswith("pt") else "en"
    hello = HELLO[language].replace("{name}", profile.name)
    return f"{hello} {closed_sentence(opening, language)} {TAKE_MESSAGE[language]}"


def note_of(opening: Opening, action: str) -> dict[str, object]:
    """The timeline's entry `closed`."""
    note: dict[str, object] = {"reason": opening.reason, "action": str(action)}
    if opening.name:
        note["day"] = opening.name
    next_open: datetime | None = opening.next_open
    if next_open is not None:
        note["opens"] = next_open.isoformat(timespec="minutes")
    return note
