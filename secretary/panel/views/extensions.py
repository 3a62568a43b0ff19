"""The 8XXX map: list, make, change, remove."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from secretary.models import ExtensionMapping
from secretary.panel.access import Access, Can, in_domain
from secretary.panel.forms.extension import ExtensionForm
from secretary.panel.pages import show
from secretary.panel.rows import Rows
from secretary.selectors.configuration import get_extension, list_extensions, list_secretaries
from secretary.services.extensions import create_mapping, delete_mapping, update_mapping


def _read(row: ExtensionMapping) -> Mapping[str, Any]:
    return {"extension": row.extension, "secretary": str(row.secretary_id), "enabled": row.enabled}


ROWS = Rows[ExtensionMapping](
    section="extensions",
    route="extension",
    key="mapping_uuid",
    title=gettext_lazy("Extensions"),
    form=ExtensionForm,
    read=_read,
    find=get_extension,
    create=create_mapping,
    update=update_mapping,
    remove=delete_mapping,
    new=gettext_lazy("New extension"),
    made=gettext_lazy("Saved. Dial the extension to hear the secretary."),
    question=gettext_lazy("Free extension %(name)s?"),
    removed=gettext_lazy("Extension %(name)s is free."),
    consequence=gettext_lazy("No secretary answers there any more; who dials it reaches the fallback."),
    name=lambda row: row.extension,
)
_new, _change, delete = ROWS.views()


@in_domain(Can.SEE_SETUP)
def index(request: HttpRequest, access: Access) -> HttpResponse:
    return show(
        request,
        access,
        "panel/extensions/list.html",
        section=ROWS.section,
        mappings=list_extensions(),
        has_secretaries=bool(list_secretaries()),
    )


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def new(request: HttpRequest, access: Access) -> HttpResponse:
    if not list_secretaries():
        return redirect("panel:extensions", access.domain.pk)
    return ROWS.make(request, access)


@in_domain(Can.SEE_SETUP, change=Can.CONFIGURE)
def change(request: HttpRequest, access: Access, mapping_uuid: Any) -> HttpResponse:
    row = ROWS.get(mapping_uuid)
    return ROWS.change(request, access, row, title=_("Extension %(extension)s") % {"extension": row.extension})
