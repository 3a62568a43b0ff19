"""Tools of the domain's own: list, make, change, try, a new secret, remove."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from secretary.panel.access import Access, Can, in_domain
from secretary.panel.forms.tools import HttpToolForm, TryForm
from secretary.panel.forms.webhook import SecretForm
from secretary.panel.pages import show
from secretary.panel.rows import Rows
from secretary.tools import services, trying
from secretary.tools.models import HttpTool
from secretary.tools.services import Issued


def _find(*, tool_uuid: UUID) -> HttpTool | None:
    return HttpTool.objects.defer("secret", "previous_secret", "extra_headers").filter(pk=tool_uuid).first()


def _read(row: HttpTool) -> Mapping[str, Any]:
    own = ("headers", "no_headers", "parameters", "seen")
    values = {name: getattr(row, name) for name in HttpToolForm.base_fields if name not in own}
    return {**values, "parameters": json.dumps(row.parameters, indent=2, ensure_ascii=False)}


def _shown_once(request: HttpRequest, access: Access, issued: Issued) -> HttpResponse:
    back = ROWS.to_list(access)
    return show(request, access, "panel/webhooks/secret.html", section=ROWS.section, secret=issued.secret, back=back)


ROWS = Rows[HttpTool](
    section="tools",
    route="tool",
    key="tool_uuid",
    title=gettext_lazy("Tools"),
    form=HttpToolForm,
    read=_read,
    find=_find,
    create=services.create_tool,
    update=services.update_tool,
    remove=services.delete_tool,
    new=gettext_lazy("New tool"),
    made=gettext_lazy("The tool is there. Choose it in the secretaries that may use it."),
    consequence=gettext_lazy("Secretaries that have it go on without it. To pause it instead, switch it off."),
    see=Can.CONFIGURE,
    then=_shown_once,
)
new, change, delete = ROWS.views()


@in_domain(Can.CONFIGURE)
def index(request: HttpRequest, access: Access) -> HttpResponse:
    tools = HttpTool.objects.defer("secret", "previous_secret", "extra_headers").order_by("name")
    return show(request, access, "panel/tools/list.html", section=ROWS.section, tools=list(tools))


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def secret(request: HttpRequest, access: Access, tool_uuid: UUID) -> HttpResponse:
    """A new secret, shown once; the old one signs beside it for a while."""
    row = ROWS.get(tool_uuid)
    return ROWS.act(
        request,
        access,
        row,
        title=_("New secret"),
        action=_("Make a new secret"),
        form=SecretForm,
        do=lambda form: services.rotate_secret(tool_uuid=row.pk, overlap=form.span),
        then=_shown_once,
    )


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def attempt(request: HttpRequest, access: Access, tool_uuid: UUID) -> HttpResponse:
    """Run it once, and show what a speech service would be told."""
    row = ROWS.get(tool_uuid)

    def tried(request: HttpRequest, access: Access, result: trying.Tried) -> HttpResponse:
        back = ROWS.to_list(access)
        return show(request, access, "panel/tools/tried.html", section=ROWS.section, tool=row, tried=result, back=back)

    return ROWS.act(
        request,
        access,
        row,
        title=_("Try “%(name)s”") % {"name": row.name},
        action=_("Try it"),
        intro=row.description,
        form=TryForm,
        do=lambda form: trying.attempt(HttpTool.objects.get(pk=row.pk), form.values["arguments"]),
        done=_("It was run once."),
        then=tried,
    )
