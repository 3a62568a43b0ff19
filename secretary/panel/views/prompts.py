"""Versions of a secretary's facts about the business: to read, to name, to take back."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from secretary.models import Secretary
from secretary.panel.access import Access, Can, in_domain
from secretary.panel.editing import Link
from secretary.panel.pages import show
from secretary.selectors.configuration import get_secretary
from secretary.tools import prompts
from secretary.tools.models import PromptVersion
from secretary.tools.models.prompt_version import MAX_NAME

SECTION = "secretaries"
MOST_SHOWN = 200


def _version(secretary_uuid: UUID, version_uuid: UUID) -> PromptVersion:
    row = PromptVersion.objects.filter(pk=version_uuid, secretary_id=secretary_uuid).first()
    if row is None:
        raise Http404
    return row


def _secretary(secretary_uuid: UUID) -> Secretary:
    row = get_secretary(secretary_uuid=secretary_uuid)
    if row is None:
        raise Http404
    return row


@in_domain(Can.SEE_SETUP)
def index(request: HttpRequest, access: Access, secretary_uuid: UUID) -> HttpResponse:
    """All versions that are kept, the live one first."""
    row = _secretary(secretary_uuid)
    return show(
        request,
        access,
        "panel/secretaries/prompts.html",
        section=SECTION,
        secretary=row,
        versions=list(PromptVersion.objects.filter(secretary=row).order_by("-number")[:MOST_SHOWN]),
        back=Link(reverse("panel:secretary", args=[access.domain.pk, row.pk]), row.name),
        longest_name=MAX_NAME,
    )


@in_domain(None, change=Can.CONFIGURE)
def restore(request: HttpRequest, access: Access, secretary_uuid: UUID, version_uuid: UUID) -> HttpResponse:
    """Make an earlier text live again."""
    version = _version(secretary_uuid, version_uuid)
    prompts.restore(version_uuid=version.pk)
    messages.success(request, _("Version %(n)d is live again. The next call uses it.") % {"n": version.number})
    return redirect("panel:prompts", access.domain.pk, secretary_uuid)


@in_domain(None, change=Can.CONFIGURE)
def name(request: HttpRequest, access: Access, secretary_uuid: UUID, version_uuid: UUID) -> HttpResponse:
    """Give a version a name, so that it is kept for ever."""
    version = _version(secretary_uuid, version_uuid)
    given = request.POST.get("name", "").replace("\0", "").strip()[:MAX_NAME]
    prompts.name_version(version_uuid=version.pk, name=given)
    messages.success(request, _("Saved."))
    return redirect("panel:prompts", access.domain.pk, secretary_uuid)
