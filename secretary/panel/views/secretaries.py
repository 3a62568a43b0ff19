"""Secretaries: list, make, change, remove."""

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

from secretary.models import Secretary
from secretary.panel.access import Access, Can, in_domain
from secretary.panel.editing import Link, edit
from secretary.panel.forms.base import PanelForm
from secretary.panel.forms.secretary import SecretaryForm
from secretary.panel.pages import show
from secretary.selectors.configuration import get_secretary, list_secretaries
from secretary.services.secretaries import create_secretary, delete_secretary, update_secretary
from secretary.speech.catalogue import LOCAL

SECTION = "secretaries"


def _back(access: Access) -> Link:
    return Link(reverse("panel:secretaries", args=[access.domain.pk]), _("Secretaries"))


def _read(row: Secretary) -> Mapping[str, Any]:
    values = {name: getattr(row, name) for name in SecretaryForm.base_fields if name != "seen"}
    alone = [{"provider": row.provider}] if row.provider != LOCAL else []
    return {**values, "chain": row.chain or alone}


def _save(uuid: UUID | None, form: PanelForm) -> None:
    if uuid is None:
        create_secretary(**form.values)
    else:
        update_secretary(secretary_uuid=uuid, seen_at=form.seen_at, **form.values)


@in_domain(Can.SEE_SETUP)
def index(request: HttpRequest, access: Access) -> HttpResponse:
    return show(request, access, "panel/secretaries/list.html", section=SECTION, secretaries=list_secretaries())


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def new(request: HttpRequest, access: Access) -> HttpResponse:
    return edit(
        request,
        access,
        section=SECTION,
        title=_("New secretary"),
        back=_back(access),
        form_class=SecretaryForm,
        initial={"language": access.domain.language},
        row=None,
        read=_read,
        save=partial(_save, None),
        done=_("The secretary is there. Give it an extension, so that callers reach it."),
    )


@in_domain(Can.SEE_SETUP, change=Can.CONFIGURE)
def change(request: HttpRequest, access: Access, secretary_uuid: UUID) -> HttpResponse:
    row = get_secretary(secretary_uuid=secretary_uuid)
    if row is None:
        raise Http404
    return edit(
        request,
        access,
        section=SECTION,
        title=row.name,
        back=_back(access),
        form_class=SecretaryForm,
        initial=_read(row),
        row=row,
        read=_read,
        save=partial(_save, secretary_uuid),
        done=_("Saved. The next call uses it."),
        delete_url=reverse("panel:secretary-delete", args=[access.domain.pk, row.pk]),
    )


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def delete(request: HttpRequest, access: Access, secretary_uuid: UUID) -> HttpResponse:
    row = get_secretary(secretary_uuid=secretary_uuid)
    if row is None:
        raise Http404
    if request.method == "POST":
        delete_secretary(secretary_uuid=row.pk)
        messages.success(request, _("“%(name)s” was removed.") % {"name": row.name})
        return redirect("panel:secretaries", access.domain.pk)
    return show(
        request,
        access,
        "panel/delete.html",
        section=SECTION,
        title=_("Remove “%(name)s”?") % {"name": row.name},
        back=Link(reverse("panel:secretary", args=[access.domain.pk, row.pk]), row.name),
        consequence=_(
            "Its extensions are freed, and who dials them reaches the fallback. Its calls and messages stay."
            " To pause it instead, switch it off."
        ),
    )
