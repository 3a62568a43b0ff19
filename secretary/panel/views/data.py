"""What is kept and for how long; all of one caller's data, to give out or to erase."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from secretary.models import CallerRequestKind, CallerRequestState
from secretary.panel.access import Access, Can, in_domain
from secretary.panel.editing import Link, edit, edit_once
from secretary.panel.forms.base import PanelForm
from secretary.panel.forms.data import CallerForm, DataRulesForm, EraseForm
from secretary.panel.pages import show
from secretary.selectors import caller_data
from secretary.services import caller_requests, files
from tenants import audit
from tenants.models import DataRules
from tenants.quotas import RULES_FIELDS, rules_of, set_rules

SECTION = "data"


def _back(access: Access) -> Link:
    return Link(reverse("panel:data", args=[access.domain.pk]), _("Data"))


def _read(rules: DataRules) -> Mapping[str, Any]:
    return {name: getattr(rules, name) for name in RULES_FIELDS}


@in_domain(Can.CONFIGURE)
def index(request: HttpRequest, access: Access) -> HttpResponse:
    """The rules in words, and the requests about callers."""
    rules = rules_of()
    fields: list[Any] = [rules._meta.get_field(name) for name in RULES_FIELDS]
    return show(
        request,
        access,
        "panel/data/overview.html",
        section=SECTION,
        kept=[(field.verbose_name, getattr(rules, field.name)) for field in fields if field.name.endswith("_days")],
        redacted=[field.verbose_name for field in fields if field.name[:7] == "redact_" and getattr(rules, field.name)],
        requests=caller_data.list_requests(),
    )


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def rules(request: HttpRequest, access: Access) -> HttpResponse:
    """Change how long what is kept, and what never is."""
    return edit_once(
        request,
        access,
        section=SECTION,
        title=_("What is kept"),
        back=_back(access),
        form_class=DataRulesForm,
        find=rules_of,
        read=_read,
        save=partial(set_rules, domain_uuid=access.domain.pk),
        done=_("Saved."),
    )


def _ask(kind: str) -> Any:
    def save(form: PanelForm) -> None:
        caller_requests.ask(kind=kind, number=form.values["number"])

    return save


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def export(request: HttpRequest, access: Access) -> HttpResponse:
    """Have all of one caller's data put into a file."""
    return edit(
        request,
        access,
        section=SECTION,
        title=_("Export a caller's data"),
        intro=_("Calls, transcripts, messages, recordings and webhook events, as a ZIP to be downloaded for a while."),
        back=_back(access),
        form_class=CallerForm,
        initial={},
        row=None,
        read=dict,
        save=_ask(CallerRequestKind.EXPORT),
        done=_("It is being put together. Reload this page in a moment."),
    )


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def erase(request: HttpRequest, access: Access) -> HttpResponse:
    """Have all of one caller's data erased. The number is wanted twice."""
    return edit(
        request,
        access,
        section=SECTION,
        title=_("Erase a caller's data"),
        intro=_("Calls, transcripts, messages, recordings and webhook events. Only the figures of usage stay."),
        back=_back(access),
        form_class=EraseForm,
        initial={},
        row=None,
        read=dict,
        save=_ask(CallerRequestKind.ERASE),
        done=_("It is being erased. Reload this page in a moment."),
    )


@in_domain(Can.CONFIGURE)
def download(request: HttpRequest, access: Access, request_uuid: UUID) -> HttpResponseBase:
    """The ZIP, for whoever may ask for it; every download is on record."""
    found = caller_data.get_request(request_uuid=request_uuid)
    path = files.below(found.path) if found is not None and found.state == CallerRequestState.DONE else None
    if found is None or path is None or not path.is_file():
        raise Http404
    if request.method == "GET":
        audit.log("caller.downloaded", audit.Subject("callerrequest", str(found.pk), found.get_kind_display()))
    response = FileResponse(path.open("rb"), as_attachment=True, filename=f"caller-{found.pk}.zip")
    response.headers["Content-Type"] = "application/zip"
    response.headers["Cache-Control"] = "private, no-store"
    return response
