"""Reads: is a domain, a secretary or a destination open, until when, and when next; and how that is said.

    opening = opening_of(domain_uuid=..., secretary_uuid=...)
    describe(opening, "pt-br")

One or two small queries; public holidays are worked out once a year in each process.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone

from secretary.models import Destination, HoursSource, OpeningHours, Secretary, SpecialDay
from secretary.opening.timetable import Opening, Special, Timetable
from secretary.opening.weekly import NotOpeningHours, Range, Weekly, read_ranges, read_weekly
from secretary.opening.words import closed_sentence, describe, week
from tenants.context import tenant_context
from tenants.models import Domain

__all__ = ["Opening", "closed_sentence", "describe", "opening_of", "timetable_of", "week"]


def opening_of(
    *,
    domain_uuid: UUID,
    secretary_uuid: UUID | None = None,
    destination_uuid: UUID | None = None,
    at: datetime | None = None,
    told: bool | None = None,
) -> Opening:
    """How things stand with a destination, else a secretary, else the domain. A destination without hours of its own
    is always open; a secretary without has the domain's usual ones.

    `told` is what the telephone system said of the call (`secretary_open`): it decides where the hours leave it to the
    telephone system. What it has not said is taken from the week, and where there is none, for open.
    """
    moment = at or timezone.now()
    with tenant_context(domain_uuid):
        domain = Domain.objects.only("time_zone", "language").get()
        if destination_uuid is not None:
            chosen = Destination.objects.filter(pk=destination_uuid).values_list("hours_id", flat=True).first()
            row = OpeningHours.objects.filter(pk=chosen).first() if chosen else None
            return state_of(row, domain, moment, told=told)
        secretary = Secretary.objects.only("hours_id", "language").filter(pk=secretary_uuid or UUID(int=0)).first()
        if secretary is None:
            return state_of(_hours(None), domain, moment, told=told)
        return state_of(_hours(secretary.hours_id), domain, moment, told=told, language=secretary.language)


def state_of(
    row: OpeningHours | None,
    domain: Domain,
    moment: datetime,
    *,
    told: bool | None = None,
    language: str = "",
    days: Sequence[SpecialDay] | None = None,
) -> Opening:
    """The same for hours that are at hand; `days`: all of the domain's, where they are, too. Inside the tenant."""
    zone = ZoneInfo(domain.time_zone)
    if row is None:
        return Opening(True, "no_hours", at=moment.astimezone(zone))
    table = timetable_of(row, domain, language, days)
    if row.source == HoursSource.SWITCH and (told is not None or table.weekly.is_empty):
        weekly = None if table.weekly.is_empty else table.weekly
        next_open = table.at(moment).next_open if told is False and weekly is not None else None
        return Opening(told is not False, "switch", next_open=next_open, at=moment.astimezone(zone), weekly=weekly)
    return table.at(moment)


def hours_of_secretary(secretary: Secretary) -> OpeningHours | None:
    """A secretary's hours, or the domain's usual ones. Inside the tenant; one query."""
    return _hours(secretary.hours_id)


def _hours(own: UUID | None) -> OpeningHours | None:
    rows = OpeningHours.objects.filter(Q(pk=own) | Q(is_default=True)) if own else OpeningHours.objects.filter(
        is_default=True
    )  # fmt: skip
    return min(rows, key=lambda row: row.pk != own, default=None)


def timetable_of(
    row: OpeningHours, domain: Domain, language: str = "", days: Sequence[SpecialDay] | None = None
) -> Timetable:
    """A stored week with its special days; holidays are named in the language. Inside the tenant; one query."""
    return Timetable(
        zone=domain.time_zone,
        weekly=_weekly(row.weekly),
        specials=tuple(
            Special(day.date, _ranges(day.ranges), day.name, day.every_year, day.hours_id is not None)
            for day in (SpecialDay.objects.filter(Q(hours=row) | Q(hours__isnull=True)) if days is None else days)
            if day.hours_id in (None, row.pk)
        ),
        country=row.holidays_country,
        subdivision=row.holidays_subdivision,
        language=language or domain.language,
    )


def _weekly(value: object) -> Weekly:
    try:
        return read_weekly(value)
    except NotOpeningHours:  # only by hand in the database: nobody is there then
        return Weekly()


def _ranges(value: object) -> tuple[Range, ...]:
    try:
        return read_ranges(value)
    except NotOpeningHours:
        return ()
