"""Who changed what: a domain's record for its administrators, the installation's for operators."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from secretary.panel.access import Access, Can, for_operators, in_domain
from secretary.panel.listing import PageLinks, cursors
from secretary.panel.pages import show, show_outside
from secretary.panel.record import KINDS, MOST_ROWS, Wanted, as_csv, entry
from secretary.selectors.keyset import keyset_page
from tenants import audit
from tenants.context import platform_context
from tenants.models import AuditEvent, InstallationEvent
from tenants.people.record import search


@in_domain(Can.SEE_RECORD)
def index(request: HttpRequest, access: Access) -> HttpResponse:
    """The newest changes first; by person, object and time."""
    url = reverse("panel:record", args=[access.domain.pk])
    context = _page(request, AuditEvent.objects.all(), url)
    return show(request, access, "panel/record/domain.html", section="record", **context)


@in_domain(Can.SEE_RECORD)
def export(request: HttpRequest, access: Access) -> HttpResponse:
    """The same as a table for spreadsheets."""
    response = _csv(request, AuditEvent.objects.all(), access.domain.name)
    audit.log("record.exported", audit.Subject("domain", str(access.domain.pk), access.domain.name))
    return response


@for_operators()
def installation(request: HttpRequest) -> HttpResponse:
    """Accounts, sign-ins and operators; or, across them, the changes in all domains."""
    with platform_context():
        context = _page(request, _rows(request), reverse("panel:installation-record"))
    everywhere = request.GET.get("of") == "domains"
    return show_outside(
        request, "panel/record/installation.html", section="installation-record", everywhere=everywhere, **context
    )


@for_operators()
def installation_export(request: HttpRequest) -> HttpResponse:
    """The same as a table for spreadsheets."""
    with platform_context():
        response = _csv(request, _rows(request), "installation")
        audit.log("record.exported", audit.Subject("installation"))
    return response


def _rows(request: HttpRequest) -> QuerySet[Any]:
    return AuditEvent.objects.all() if request.GET.get("of") == "domains" else InstallationEvent.objects.all()


def _found(request: HttpRequest, rows: QuerySet[Any]) -> tuple[Wanted, QuerySet[Any]]:
    wanted = Wanted.of(request)
    return wanted, search(
        rows, who=wanted.who, what=wanted.what, kind=wanted.kind, begins=wanted.begins, ends=wanted.ends
    )


def _page(request: HttpRequest, rows: QuerySet[Any], url: str) -> dict[str, Any]:
    wanted, rows = _found(request, rows)
    page = keyset_page(rows, at="at", **cursors(request))
    links = PageLinks.of(request, page)
    filters = request.GET.copy()
    for name in ("before", "after"):
        filters.pop(name, None)
    return {
        "wanted": wanted,
        "kinds": KINDS.items(),
        "entries": [entry(event) for event in page.items],
        "page": links,
        "url": url,
        "query": filters.urlencode(),
    }


def _csv(request: HttpRequest, rows: QuerySet[Any], name: str) -> HttpResponse:
    _wanted, rows = _found(request, rows)
    text = as_csv(rows.order_by("-at", "-event_uuid")[:MOST_ROWS])
    day = timezone.localdate().isoformat()
    return HttpResponse(
        text,
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="record-{name}-{day}.csv"',
            "Cache-Control": "private, no-store",
        },
    )
