"""What the domain has used this month, and what it may use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from secretary.panel.access import Access, Can, in_domain
from secretary.panel.bars import HEIGHT, WIDTH, bars
from secretary.panel.editing import Link, edit_once
from secretary.panel.forms.quotas import QuotaForm
from secretary.panel.pages import show
from secretary.selectors.usage_summary import month_of_usage, quota_use
from secretary.services.allowance import next_month
from tenants.models import Domain, Quota
from tenants.quotas import QUOTA_FIELDS, quota_of, set_quota
from tenants.services import update_domain

SECTION = "usage"
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


def _asked(request: HttpRequest, today: date) -> date:
    """The month in the address (`2026-11`), else the current one."""
    found = _MONTH.fullmatch(request.GET.get("month", ""))
    first = date(int(found[1]), int(found[2]), 1) if found else today.replace(day=1)
    return min(first, today.replace(day=1))


@in_domain(Can.SEE_SETUP)
def index(request: HttpRequest, access: Access) -> HttpResponse:
    """A month by day and by secretary, and the quotas."""
    today = timezone.localdate()
    first = _asked(request, today)
    month = month_of_usage(first)
    by_secretary = sorted(month.by_secretary.items(), key=lambda item: -item[1].seconds)
    after = next_month(first)
    return show(
        request,
        access,
        "panel/usage/month.html",
        section=SECTION,
        first=first,
        before=(first - timedelta(days=1)).strftime("%Y-%m") if first.year > 2000 else "",
        after=after.strftime("%Y-%m") if after <= today else "",
        month=month,
        bars=bars(first, month.by_day),
        drawing=(31 * WIDTH, HEIGHT, HEIGHT + 18),
        days=sorted(month.by_day.items()),
        secretaries=[(month.names.get(uuid) if uuid else None, figures) for uuid, figures in by_secretary],
        models=[(*key, figures) for key, figures in sorted(month.by_model.items())],
        quotas=quota_use(timezone.now()),
        currency=settings.CURRENCY,
        may_set_quotas=access.may(Can.SET_QUOTAS),
    )


def _row() -> Quota:
    """The quota, as old as the younger of its row and its domain: simultaneous calls stand in the domain's."""
    quota, domain = quota_of(), Domain.objects.get()
    quota.updated_at = max(filter(None, (quota.updated_at, domain.updated_at)))
    return quota


def _read(quota: Quota) -> Mapping[str, Any]:
    return {**{name: getattr(quota, name) for name in QUOTA_FIELDS}, "max_calls": Domain.objects.get().max_calls}


@in_domain(Can.SET_QUOTAS, change=Can.SET_QUOTAS)
def quotas(request: HttpRequest, access: Access) -> HttpResponse:
    """What the domain may use: for the operator of the installation."""

    def save(*, max_calls: int, **quota: Any) -> None:
        update_domain(domain_uuid=access.domain.pk, max_calls=max_calls)
        set_quota(domain_uuid=access.domain.pk, **quota)

    return edit_once(
        request,
        access,
        section=SECTION,
        title=_("Quotas"),
        intro=_("Money is in %(currency)s.") % {"currency": settings.CURRENCY},
        back=Link(reverse("panel:usage", args=[access.domain.pk]), _("Usage")),
        form_class=QuotaForm,
        find=_row,
        read=_read,
        save=save,
        done=_("Saved. It holds from now on, also for calls that are going on."),
    )
