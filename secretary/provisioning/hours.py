"""What a document says about opening hours: by name, of which there is one usual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from django.utils.translation import gettext as _

from secretary.models import OpeningHours

Errors = dict[str, tuple[str, str]]


class Rows(Protocol):
    """The rows of one kind, as they will be, and where in the document they stand."""

    rows: dict[UUID, Any]
    places: dict[UUID, str]

    def named(self, name: str) -> list[Any]: ...


def with_hours(
    kind: str, wanted: Sequence[Mapping[str, Any]] | None, hours: Rows, errors: Errors
) -> list[dict[str, Any]] | None:
    """The same objects with the hours that they name; an object that names none keeps those it has."""
    if wanted is None:
        return None
    found = []
    for position, values in enumerate(wanted):
        rest = {name: value for name, value in values.items() if name != "hours"}
        if "hours" in values:
            name = values["hours"]
            rows = hours.named(name) if name is not None else []
            if name is not None and not rows:
                errors[f"{kind}[{position}].hours"] = ("does_not_exist", _("The domain has no such opening hours."))
            rest["hours_id"] = rows[0].pk if rows else None
        found.append(rest)
    return found


def one_default(hours: Rows, errors: Errors) -> None:
    """Of several usual hours in the document none can be meant."""
    places = [hours.places[row.pk] for row in hours.rows.values() if row.is_default and row.pk in hours.places]
    if len(places) > 1:
        errors[f"{places[-1]}.is_default"] = ("unique", _("Only one can be the domain's usual hours."))


def free_the_default(made: Sequence[OpeningHours], changed: Sequence[OpeningHours]) -> None:
    """Take the mark from the usual hours that are no longer: there is never a moment with two."""
    if any(row.is_default for row in (*made, *changed)):
        OpeningHours.objects.filter(is_default=True).update(is_default=False)


def check_closed_secretaries(secretaries: Rows, errors: Errors) -> None:
    """Whoever answers out of hours is there."""
    for row in secretaries.rows.values():
        if row.pk in secretaries.places and row.closed_secretary_id not in (None, *secretaries.rows):
            place = f"{secretaries.places[row.pk]}.closed_secretary_uuid"
            errors[place] = ("does_not_exist", _("The domain has no such secretary."))
