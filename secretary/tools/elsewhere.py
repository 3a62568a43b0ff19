"""What other rooms do for a secretary's tools: hours, who is free, callbacks. Here their answers become words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError

from secretary.conversation.office import Outcome
from secretary.errors import CallbackRefused
from secretary.models import ConsentHow, Destination
from secretary.selectors.opening import describe, opening_of
from secretary.services import callbacks
from secretary.tools.about import Setup
from tenants.context import tenant_context


def moment(text: str, time_zone: str) -> datetime | None:
    """A model's local date or time; None for what is none. A date alone is its noon."""
    text = text.strip().replace("Z", "")
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) <= 10:
        found = datetime.combine(found.date(), time(12))
    try:
        return found if found.tzinfo is not None else found.replace(tzinfo=ZoneInfo(time_zone))
    except (ValueError, KeyError):
        return None


def opening_hours(setup: Setup, *, destination_uuid: UUID | None = None, at: str = "") -> Outcome:
    """Open or closed, in the secretary's language."""
    when = moment(at, setup.time_zone) if at else None
    if at and when is None:
        return Outcome("invalid_arguments", "`at` must be a date or a date and time, as 2026-05-31T14:00.")
    found = opening_of(
        domain_uuid=setup.domain_uuid, secretary_uuid=setup.secretary_uuid, destination_uuid=destination_uuid, at=when
    )
    return Outcome("ok", describe(found, setup.language) or "No opening hours are set down; say that you do not know.")


FREE: Mapping[str, str] = {
    "free": "Free to talk: offer to put the caller through.",
    "busy": "On the telephone right now. Offer to take a message, or to try all the same.",
    "dnd": "Does not want to be disturbed. Offer to take a message.",
    "unregistered": "Their telephone is switched off. Offer to take a message.",
    "unreachable": "There is no such telephone. Offer to take a message.",
    "no_agents": "Nobody of them is there right now. Offer to take a message.",
    "unknown": "It cannot be told. You may try to put the caller through.",
}


def whom_to_ask_about(setup: Setup, destination_uuid: UUID) -> tuple[str, str] | Outcome:
    """Kind and number of a destination that the switch is to be asked about; an answer where that is needless."""
    with tenant_context(setup.domain_uuid):
        found = Destination.objects.filter(pk=destination_uuid, enabled=True).values_list("kind", "number").first()
    if found is None:
        return Outcome("unknown_destination", "There is no such destination any more.")
    opening = opening_of(domain_uuid=setup.domain_uuid, destination_uuid=destination_uuid)
    if not opening.open:
        return Outcome("ok", f"closed: {describe(opening, setup.language)} Offer to take a message.")
    return found[0], found[1]


def told_free(word: str) -> Outcome:
    """What the switch said, in words to go by."""
    return Outcome("ok", f"{word}: {FREE.get(word, FREE['unknown'])}")


def request_callback(setup: Setup, arguments: Mapping[str, Any]) -> Outcome:
    times = {}
    for name in ("not_before", "not_after"):
        if arguments.get(name):
            times[name] = moment(str(arguments[name]), setup.time_zone)
            if times[name] is None:
                return Outcome("invalid_arguments", f"`{name}` must be a date and time, as 2026-05-31T14:00.")
    place = arguments.get("destination_uuid")
    try:
        callbacks.request_callback(
            domain_uuid=setup.domain_uuid,
            secretary_uuid=setup.secretary_uuid,
            call_uuid=UUID(setup.call_uuid),
            number=str(arguments["number"]),
            name=str(arguments.get("name", "")) or setup.caller.name,
            reason=str(arguments.get("reason", "")),
            consent=callbacks.Consent(how=ConsentHow.SPOKEN, by=setup.secretary_name),
            not_before=times.get("not_before"),
            not_after=times.get("not_after"),
            destination_uuid=UUID(str(place)) if place else None,
            # A model that asks twice means one wish.
            callback_uuid=uuid5(
                UUID(setup.call_uuid), f"callback {arguments['number']} {times.get('not_before')} {place}"
            ),
        )
    except ValidationError:
        return Outcome("invalid_arguments", "The times do not fit: `not_after` must be later than `not_before`.")
    except CallbackRefused as refusal:
        return Outcome(str(refusal.reason), "The callback was not taken. Say so, and offer to take a message.")
    return Outcome("ok", "They will be called back. Tell them so.")
