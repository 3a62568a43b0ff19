"""Tools of the domain's own: list, make, change, try, a new secret, remove."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from secretary.panel.access import Access, Can, in_domain
from secretary.panel.editing import Link, edit
from secretary.panel.forms.base import PanelForm
from secretary.panel.forms.tools import HttpToolForm, TryForm
from secretary.panel.forms.webhook import SecretForm
from secretary.panel.pages import show
from secretary.tools import services, trying
from secretary.tools.models import HttpTool
from secretary.tools.services import Issued

SECTION = "tools"


def _to_list(access: Access) -> Link:
    return Link(reverse("panel:tools", args=[access.domain.pk]), _("Tools"))


def _to_one(access: Access, row: HttpTool) -> Link:
    return Link(reverse("panel:tool", args=[access.domain.pk, row.pk]), row.name)


def _tool(tool_uuid: UUID) -> HttpTool:
    row = HttpTool.objects.defer("secret", "previous_secret", "extra_headers").filter(pk=tool_uuid).first()
    if row is None:
        raise Http404
    return row


def _read(row: HttpTool) -> Mapping[str, Any]:
    own = ("headers", "no_headers", "parameters", "seen")
    values = {name: getattr(row, name) for name in HttpToolForm.base_fields if name not in own}
    return {**values, "parameters": json.dumps(row.parameters, indent=2, ensure_ascii=False)}


@in_domain(Can.CONFIGURE)
def index(request: HttpRequest, access: Access) -> HttpResponse:
    tools = HttpTool.objects.defer("secret", "previous_secret", "extra_headers").order_by("name")
    return show(request, access, "panel/tools/list.html", section=SECTION, tools=list(tools))


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def new(request: HttpRequest, access: Access) -> HttpResponse:
    issued: list[Issued] = []

    def save(form: PanelForm) -> None:
        assert isinstance(form, HttpToolForm)  # noqa: S101 - for the types
        issued.append(services.create_tool(**form.model_values))

    response = edit(
        request,
        access,
        section=SECTION,
        title=_("New tool"),
        back=_to_list(access),
        form_class=HttpToolForm,
        initial={},
        row=None,
        read=dict,
        save=save,
        done=_("The tool is there. Choose it in the secretaries that may use it."),
    )
    return _shown_once(request, access, issued[0]) if issued else response


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def change(request: HttpRequest, access: Access, tool_uuid: UUID) -> HttpResponse:
    row = _tool(tool_uuid)

    def save(form: PanelForm) -> None:
        assert isinstance(form, HttpToolForm)  # noqa: S101 - for the types
        services.update_tool(tool_uuid=row.pk, seen_at=form.seen_at, **form.model_values)

    return edit(
        request,
        access,
        section=SECTION,
        title=row.name,
        back=_to_list(access),
        form_class=HttpToolForm,
        initial=_read(row),
        row=row,
        read=_read,
        save=save,
        done=_("Saved. The next call uses it."),
        delete_url=reverse("panel:tool-delete", args=[access.domain.pk, row.pk]),
    )


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def delete(request: HttpRequest, access: Access, tool_uuid: UUID) -> HttpResponse:
    row = _tool(tool_uuid)
    if request.method == "POST":
        services.delete_tool(tool_uuid=row.pk)
        messages.success(request, _("“%(name)s” was removed.") % {"name": row})
        return redirect(_to_list(access).url)
    return show(
        request,
        access,
        "panel/delete.html",
        section=SECTION,
        title=_("Remove “%(name)s”?") % {"name": row},
        back=_to_one(access, row),
        consequence=_("Secretaries that have it go on without it. To pause it instead, switch it off."),
    )


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def secret(request: HttpRequest, access: Access, tool_uuid: UUID) -> HttpResponse:
    """A new secret, shown once; the old one signs beside it for a while."""
    row = _tool(tool_uuid)
    issued: list[Issued] = []

    def save(form: PanelForm) -> None:
        assert isinstance(form, SecretForm)  # noqa: S101 - for the types
        issued.append(services.rotate_secret(tool_uuid=row.pk, overlap=form.span))

    response = edit(
        request,
        access,
        section=SECTION,
        title=_("New secret"),
        action=_("Make a new secret"),
        intro=row.name,
        back=_to_list(access),
        form_class=SecretForm,
        initial={},
        row=None,
        read=dict,
        save=save,
        done="",
    )
    return _shown_once(request, access, issued[0]) if issued else response


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def attempt(request: HttpRequest, access: Access, tool_uuid: UUID) -> HttpResponse:
    """Run it once, and show what a speech service would be told."""
    row = _tool(tool_uuid)
    tried: list[trying.Tried] = []

    def save(form: PanelForm) -> None:
        tried.append(trying.attempt(HttpTool.objects.get(pk=row.pk), form.values["arguments"]))

    response = edit(
        request,
        access,
        section=SECTION,
        title=_("Try “%(name)s”") % {"name": row.name},
        action=_("Try it"),
        intro=row.description,
        back=_to_list(access),
        form_class=TryForm,
        initial={},
        row=None,
        read=dict,
        save=save,
        done=_("It was run once."),
    )
    if not tried:
        return response
    return show(
        request, access, "panel/tools/tried.html", section=SECTION, tool=row, tried=tried[0], back=_to_list(access)
    )


def _shown_once(request: HttpRequest, access: Access, issued: Issued) -> HttpResponse:
    return show(
        request,
        access,
        "panel/webhooks/secret.html",
        section=SECTION,
        secret=issued.secret,
        back=_to_list(access),
    )
