"""Secretaries: list, make, change, remove."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from secretary.models import Secretary
from secretary.panel.access import Access, Can, in_domain
from secretary.panel.editing import Link
from secretary.panel.forms.secretary import SecretaryForm
from secretary.panel.pages import show
from secretary.panel.rows import Rows, fields_of
from secretary.selectors.configuration import get_secretary, list_secretaries
from secretary.services.secretaries import create_secretary, delete_secretary, update_secretary
from secretary.speech.catalogue import LOCAL


def _read(row: Secretary) -> Mapping[str, Any]:
    alone = [{"provider": row.provider}] if row.provider != LOCAL else []
    return {**fields_of(SecretaryForm)(row), "chain": row.chain or alone}


ROWS = Rows[Secretary](
    section="secretaries",
    route="secretary",
    key="secretary_uuid",
    title=_("Secretaries"),
    form=SecretaryForm,
    read=_read,
    find=get_secretary,
    create=create_secretary,
    update=update_secretary,
    remove=delete_secretary,
    new=_("New secretary"),
    made=_("The secretary is there. Give it an extension, so that callers reach it."),
    consequence=_(
        "Its extensions are freed, and who dials them reaches the fallback. Its calls and messages stay."
        " To pause it instead, switch it off."
    ),
)
_new, _change, delete = ROWS.views()


@in_domain(Can.SEE_SETUP)
def index(request: HttpRequest, access: Access) -> HttpResponse:
    return show(request, access, "panel/secretaries/list.html", section=ROWS.section, secretaries=list_secretaries())


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def new(request: HttpRequest, access: Access) -> HttpResponse:
    return ROWS.make(request, access, initial={"language": access.domain.language})


@in_domain(Can.SEE_SETUP, change=Can.CONFIGURE)
def change(request: HttpRequest, access: Access, secretary_uuid: UUID) -> HttpResponse:
    row = ROWS.get(secretary_uuid)
    links = [Link(reverse("panel:prompts", args=[access.domain.pk, row.pk]), _("Versions of the facts"))]
    if access.may_configure and row.enabled and row.extensions.exists():
        links.append(Link(reverse("panel:secretary-test", args=[access.domain.pk, row.pk]), _("Test call")))
    return ROWS.change(request, access, row, links=links)
