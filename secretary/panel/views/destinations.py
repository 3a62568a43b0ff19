"""Destinations: list, make, change, remove."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from secretary.models import Destination
from secretary.panel.access import Access, Can, in_domain
from secretary.panel.editing import Link, edit
from secretary.panel.forms.base import PanelForm
from secretary.panel.forms.destination import DestinationForm
from secretary.panel.pages import show
from secretary.selectors.configuration import get_destination, list_destinations
from secretary.services.destinations import create_destination, delete_destination, update_destination

SECTION = "destinations"


def _back(access: Access) -> Link:
    return Link(reverse("panel:destinations", args=[access.domain.pk]), _("Destinations"))


def _read(row: Destination) -> Mapping[str, Any]:
    return {name: getattr(row, name) for name in DestinationForm.base_fields if name != "seen"}


def _save(uuid: UUID | None, form: PanelForm) -> None:
    if uuid is None:
        create_destination(**form.values)
    else:
        update_destination(destination_uuid=uuid, seen_at=form.seen_at, **form.values)


@in_domain(Can.SEE_SETUP)
def index(request: HttpRequest, access: Access) -> HttpResponse:
    return show(request, access, "panel/destinations/list.html", section=SECTION, destinations=list_destinations())


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def new(request: HttpRequest, access: Access) -> HttpResponse:
    return edit(
        request,
        access,
        section=SECTION,
        title=_("New destination"),
        back=_back(access),
        form_class=DestinationForm,
        initial={},
        row=None,
        read=_read,
        save=partial(_save, None),
        done=_("Callers can ask for it from the next call on."),
    )


@in_domain(Can.SEE_SETUP, change=Can.CONFIGURE)
def change(request: HttpRequest, access: Access, destination_uuid: UUID) -> HttpResponse:
    row = get_destination(destination_uuid=destination_uuid)
    if row is None:
        raise Http404
    return edit(
        request,
        access,
        section=SECTION,
        title=row.name,
        back=_back(access),
        form_class=DestinationForm,
        initial=_read(row),
        row=row,
        read=_read,
        save=partial(_save, destination_uuid),
        done=_("Saved. The next call uses it."),
        delete_url=reverse("panel:destination-delete", args=[access.domain.pk, row.pk]),
    )


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def delete(request: HttpRequest, access: Access, destination_uuid: UUID) -> HttpResponse:
    row = get_destination(destination_uuid=destination_uuid)
    if row is None:
        raise Http404
    if request.method == "POST":
        delete_destination(destination_uuid=row.pk)
        messages.success(request, _("“%(name)s” was removed.") % {"name": row.name})
        return redirect("panel:destinations", access.domain.pk)
    return show(
        request,
        access,
        "panel/delete.html",
        section=SECTION,
        title=_("Remove “%(name)s”?") % {"name": row.name},
        back=Link(reverse("panel:destination", args=[access.domain.pk, row.pk]), row.name),
        consequence=_("The secretary no longer puts callers through to it. The record of earlier calls stays."),
    )
