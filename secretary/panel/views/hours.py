"""Opening hours and special days: list, make, change, remove."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from secretary.models import OpeningHours, SpecialDay
from secretary.opening.holiday_calendar import countries, subdivisions
from secretary.opening.weekly import DAYS
from secretary.panel.access import Access, Can, in_domain
from secretary.panel.forms.hours import HoursForm, SpecialDayForm
from secretary.panel.pages import show
from secretary.panel.rows import SAVED, Rows, fields_of
from secretary.selectors.configuration import get_day, get_hours, list_days, list_hours
from secretary.selectors.opening import state_of, week
from secretary.services.opening_hours import (
    create_day,
    create_hours,
    delete_day,
    delete_hours,
    update_day,
    update_hours,
)


def _and_states(request: HttpRequest, access: Access, row: OpeningHours) -> HttpResponse | None:
    """A country of which parts have holidays of their own: its parts can be chosen now that it is known."""
    if not subdivisions(row.holidays_country) or row.holidays_subdivision:
        return None
    messages.info(request, _("If the holidays of a state or province count, too, choose it below."))
    return redirect("panel:opening-hours", access.domain.pk, row.pk)


HOURS = Rows[OpeningHours](
    section="hours",
    route="opening-hours",
    delete_route="hours-delete",
    key="hours_uuid",
    title=gettext_lazy("Hours"),
    form=HoursForm,
    read=fields_of(HoursForm),
    find=get_hours,
    create=create_hours,
    update=update_hours,
    remove=delete_hours,
    new=gettext_lazy("New opening hours"),
    made=SAVED,
    consequence=gettext_lazy(
        "Secretaries that have them go by the domain's usual hours; destinations are reached at any hour."
    ),
    then=_and_states,
)
_new, _change, delete = HOURS.views()

DAYS_OFF = Rows[SpecialDay](
    section="hours",
    route="special-day",
    key="day_uuid",
    title=gettext_lazy("Hours"),
    form=SpecialDayForm,
    read=fields_of(SpecialDayForm),
    find=get_day,
    create=create_day,
    update=update_day,
    remove=delete_day,
    new=gettext_lazy("New special day"),
    made=SAVED,
    consequence=gettext_lazy("The day is one of its week again, or a public holiday where it is one."),
)
new_day, change_day, remove_day = DAYS_OFF.views()


@in_domain(Can.SEE_SETUP)
def index(request: HttpRequest, access: Access) -> HttpResponse:
    """All hours with how they stand now, as the secretary says them; and the days that are different."""
    now, language, days = timezone.now(), get_language() or "en", list_days()
    rows = []
    for row in list_hours():
        state = state_of(row, access.domain, now, language=language, days=days)
        place = countries().get(row.holidays_country, "")
        state_name = subdivisions(row.holidays_country).get(row.holidays_subdivision, "") if place else ""
        rows.append(
            {
                "row": row,
                "state": state,
                "week": week(state.weekly, language) if state.weekly is not None else "",
                "holidays": ", ".join(part for part in (place, state_name) if part),
            }
        )
    return show(request, access, "panel/hours/list.html", section=HOURS.section, hours=rows, days=days)


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def new(request: HttpRequest, access: Access) -> HttpResponse:
    """A week of office hours to begin with; the first ones are the domain's usual ones."""
    usual = {day: ["09:00-18:00"] for day in DAYS[:5]}
    return HOURS.make(request, access, initial={"weekly": usual, "is_default": not list_hours()})


@in_domain(Can.SEE_SETUP, change=Can.CONFIGURE)
def change(request: HttpRequest, access: Access, hours_uuid: UUID) -> HttpResponse:
    row = HOURS.get(hours_uuid)
    country = row.holidays_country
    response = HOURS.change(request, access, row)
    if request.method == "POST" and response.status_code == 302:
        saved = HOURS.get(hours_uuid)
        if saved.holidays_country != country:
            return _and_states(request, access, saved) or response
    return response
