"""What secretaries remember of callers: to read and to erase."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from secretary.panel.access import Access, Can, in_domain
from secretary.panel.editing import Link
from secretary.panel.listing import PageLinks, cursors
from secretary.panel.pages import show
from secretary.selectors import caller_data
from secretary.selectors.keyset import keyset_page
from secretary.tools import facts
from secretary.tools.models import CallerFact
from tenants.quotas import rules_of

SECTION = "data"
LONGEST_SEARCH = 64
PAGE = 50


@in_domain(Can.CONFIGURE)
def index(request: HttpRequest, access: Access) -> HttpResponse:
    """All facts, the newest first; or those of one number, in any way of writing it."""
    number = request.GET.get("number", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    rows = caller_data.facts_of(number) if number else CallerFact.objects.all()
    page = keyset_page(rows, at="created_at", size=PAGE, **cursors(request))
    return show(
        request,
        access,
        "panel/data/facts.html",
        section=SECTION,
        page=PageLinks.of(request, page),
        number=number,
        remembers=rules_of().remember_callers,
        back=Link(reverse("panel:data", args=[access.domain.pk]), _("Data")),
    )


@in_domain(None, change=Can.CONFIGURE)
def forget(request: HttpRequest, access: Access, fact_uuid: UUID) -> HttpResponse:
    """Erase one."""
    try:
        facts.forget(fact_uuid=fact_uuid)
    except CallerFact.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, _("It is forgotten."))
    return redirect("panel:caller-facts", access.domain.pk)


@in_domain(None, change=Can.CONFIGURE)
def forget_caller(request: HttpRequest, access: Access) -> HttpResponse:
    """Erase all that is remembered of one number."""
    gone = facts.forget_caller(number=request.POST.get("number", "").replace("\0", "")[:LONGEST_SEARCH])
    messages.success(request, ngettext("%(n)d fact is forgotten.", "%(n)d facts are forgotten.", gone) % {"n": gone})
    return redirect("panel:caller-facts", access.domain.pk)
