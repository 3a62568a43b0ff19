"""Opening hours and special days: list, make, change, remove."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from secretary.models import OpeningHours, SpecialDay
from secretary.opening.holiday_calendar import countries, subdivisions
from secretary.opening.weekly import DAYS
from secretary.panel.access import Access, Can, in_domain
from secretary.panel.editing import Link, edit
from secretary.panel.forms.base import PanelForm
from secretary.panel.forms.hours import HoursForm, SpecialDayForm
from secretary.panel.pages import show
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

SECTION = "hours"


def _back(access: Access) -> Link:
    return Link(reverse("panel:hours", args=[access.domain.pk]), _("Hours"))


def _read(form_class: type[PanelForm], row: Any) -> Mapping[str, Any]:
    return {name: getattr(row, name) for name in form_class.base_fields if name != "seen"}


@in_domain(Can.SEE_SETUP)
def index(request: HttpRequest, access: Access) -> HttpResponse:
    """All hours with how they stand now, as the secretary says them; and the days that are different."""
    now, language = timezone.now(), get_language() or "en"
    rows = []
    for row in list_hours():
        state = state_of(row, access.domain, now, language=language)
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
    return show(request, access, "panel/hours/list.html", section=SECTION, hours=rows, days=list_days())


def _save_hours(uuid: UUID | None, form: PanelForm) -> OpeningHours:
    if uuid is None:
        return create_hours(**form.values)
    return update_hours(hours_uuid=uuid, seen_at=form.seen_at, **form.values)


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def new(request: HttpRequest, access: Access) -> HttpResponse:
    first = not list_hours()
    days = {day: ["09:00-18:00"] for day in DAYS[:5]}
    return _edit_hours(request, access, None, {"weekly": days, "is_default": first})


@in_domain(Can.SEE_SETUP, change=Can.CONFIGURE)
def change(request: HttpRequest, access: Access, hours_uuid: UUID) -> HttpResponse:
    row = get_hours(hours_uuid=hours_uuid)
    if row is None:
        raise Http404
    return _edit_hours(request, access, row, _read(HoursForm, row))


def _edit_hours(
    request: HttpRequest, access: Access, row: OpeningHours | None, initial: Mapping[str, Any]
) -> HttpResponse:
    saved: list[OpeningHours] = []
    response = edit(
        request,
        access,
        section=SECTION,
        title=row.name if row is not None else _("New opening hours"),
        back=_back(access),
        form_class=HoursForm,
        initial=initial,
        row=row,
        read=partial(_read, HoursForm),
        save=lambda form: saved.append(_save_hours(row.pk if row is not None else None, form)),
        done=_("Saved. The next call uses it."),
        delete_url=reverse("panel:hours-delete", args=[access.domain.pk, row.pk]) if row is not None else "",
    )
    if saved and saved[0].holidays_country != initial.get("holidays_country", ""):
        states = subdivisions(saved[0].holidays_country)
        if states and not saved[0].holidays_subdivision:
            messages.info(request, _("If the holidays of a state or province count, too, choose it below."))
            return redirect("panel:opening-hours", access.domain.pk, saved[0].pk)
    return response


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def delete(request: HttpRequest, access: Access, hours_uuid: UUID) -> HttpResponse:
    row = get_hours(hours_uuid=hours_uuid)
    if row is None:
        raise Http404
    if request.method == "POST":
        delete_hours(hours_uuid=row.pk)
        messages.success(request, _("“%(name)s” was removed.") % {"name": row.name})
        return redirect("panel:hours", access.domain.pk)
    return show(
        request,
        access,
        "panel/delete.html",
        section=SECTION,
        title=_("Remove “%(name)s”?") % {"name": row.name},
        back=Link(reverse("panel:opening-hours", args=[access.domain.pk, row.pk]), row.name),
        consequence=_(
            "Secretaries that have them go by the domain's usual hours; destinations are reached at any hour."
        ),
    )


def _save_day(uuid: UUID | None, form: PanelForm) -> object:
    if uuid is None:
        return create_day(**form.values)
    return update_day(day_uuid=uuid, seen_at=form.seen_at, **form.values)


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def new_day(request: HttpRequest, access: Access) -> HttpResponse:
    return _edit_day(request, access, None)


@in_domain(Can.SEE_SETUP, change=Can.CONFIGURE)
def change_day(request: HttpRequest, access: Access, day_uuid: UUID) -> HttpResponse:
    row = get_day(day_uuid=day_uuid)
    if row is None:
        raise Http404
    return _edit_day(request, access, row)


def _edit_day(request: HttpRequest, access: Access, row: SpecialDay | None) -> HttpResponse:
    return edit(
        request,
        access,
        section=SECTION,
        title=str(row) if row is not None else _("New special day"),
        back=_back(access),
        form_class=SpecialDayForm,
        initial=_read(SpecialDayForm, row) if row is not None else {},
        row=row,
        read=partial(_read, SpecialDayForm),
        save=partial(_save_day, row.pk if row is not None else None),
        done=_("Saved. The next call uses it."),
        delete_url=reverse("panel:special-day-delete", args=[access.domain.pk, row.pk]) if row is not None else "",
    )


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def remove_day(request: HttpRequest, access: Access, day_uuid: UUID) -> HttpResponse:
    row = get_day(day_uuid=day_uuid)
    if row is None:
        raise Http404
    if request.method == "POST":
        delete_day(day_uuid=row.pk)
        messages.success(request, _("“%(name)s” was removed.") % {"name": str(row)})
        return redirect("panel:hours", access.domain.pk)
    return show(
        request,
        access,
        "panel/delete.html",
        section=SECTION,
        title=_("Remove “%(name)s”?") % {"name": str(row)},
        back=Link(reverse("panel:special-day", args=[access.domain.pk, row.pk]), str(row)),
        consequence=_("The day is one of its week again, or a public holiday where it is one."),
    )
