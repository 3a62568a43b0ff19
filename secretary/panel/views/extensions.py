"""The 8XXX map: list, make, change, remove."""

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

from secretary.models import ExtensionMapping
from secretary.panel.access import Access, Can, in_domain
from secretary.panel.editing import Link, edit
from secretary.panel.forms.base import PanelForm
from secretary.panel.forms.extension import ExtensionForm
from secretary.panel.pages import show
from secretary.selectors.configuration import get_extension, list_extensions, list_secretaries
from secretary.services.extensions import create_mapping, delete_mapping, update_mapping

SECTION = "extensions"


def _back(access: Access) -> Link:
    return Link(reverse("panel:extensions", args=[access.domain.pk]), _("Extensions"))


def _read(row: ExtensionMapping) -> Mapping[str, Any]:
    return {"extension": row.extension, "secretary": str(row.secretary_id), "enabled": row.enabled}


def _values(form: PanelForm) -> dict[str, Any]:
    # The choice was made of this tenant's secretaries, so the id is one of theirs.
    values = form.values
    secretary_uuid = UUID(values.pop("secretary"))
    return {**values, "secretary_id": secretary_uuid}


def _save(uuid: UUID | None, form: PanelForm) -> None:
    if uuid is None:
        create_mapping(**_values(form))
    else:
        update_mapping(mapping_uuid=uuid, seen_at=form.seen_at, **_values(form))


@in_domain(Can.SEE_SETUP)
def index(request: HttpRequest, access: Access) -> HttpResponse:
    return show(
        request,
        access,
        "panel/extensions/list.html",
        section=SECTION,
        mappings=list_extensions(),
        has_secretaries=bool(list_secretaries()),
    )


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def new(request: HttpRequest, access: Access) -> HttpResponse:
    if not list_secretaries():
        return redirect("panel:extensions", access.domain.pk)
    return edit(
        request,
        access,
        section=SECTION,
        title=_("New extension"),
        back=_back(access),
        form_class=ExtensionForm,
        initial={},
        row=None,
        read=_read,
        save=partial(_save, None),
        done=_("Saved. Dial the extension to hear the secretary."),
    )


@in_domain(Can.SEE_SETUP, change=Can.CONFIGURE)
def change(request: HttpRequest, access: Access, mapping_uuid: UUID) -> HttpResponse:
    row = get_extension(mapping_uuid=mapping_uuid)
    if row is None:
        raise Http404
    return edit(
        request,
        access,
        section=SECTION,
        title=_("Extension %(extension)s") % {"extension": row.extension},
        back=_back(access),
        form_class=ExtensionForm,
        initial=_read(row),
        row=row,
        read=_read,
        save=partial(_save, mapping_uuid),
        done=_("Saved. The next call uses it."),
        delete_url=reverse("panel:extension-delete", args=[access.domain.pk, row.pk]),
    )


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def delete(request: HttpRequest, access: Access, mapping_uuid: UUID) -> HttpResponse:
    row = get_extension(mapping_uuid=mapping_uuid)
    if row is None:
        raise Http404
    if request.method == "POST":
        delete_mapping(mapping_uuid=row.pk)
        messages.success(request, _("Extension %(extension)s is free.") % {"extension": row.extension})
        return redirect("panel:extensions", access.domain.pk)
    return show(
        request,
        access,
        "panel/delete.html",
        section=SECTION,
        title=_("Free extension %(extension)s?") % {"extension": row.extension},
        back=Link(reverse("panel:extension", args=[access.domain.pk, row.pk]), row.extension),
        consequence=_("No secretary answers there any more; who dials it reaches the fallback."),
    )
