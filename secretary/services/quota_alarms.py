"""Saying in time that a quota runs out: at 80 and at 100 % of it, once a period, whoever notices first."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings

from secretary.models import Call, CallOutcome
from secretary.services.allowance import LEAST_S, used_of, with_calls
from secretary.webhooks.outbox import emit
from tenants.models import Quota, QuotaAlarm, QuotaKind, QuotaPeriod
from tenants.quotas import limits_calls

log = structlog.get_logger(__name__)

EVENTS: Final = {80: "quota.warning", 100: "quota.exceeded"}


def look(quota: Quota, zone: ZoneInfo, now: datetime, *, turned_away: bool = False) -> list[QuotaAlarm]:
    """Compare what is used with the quota and tell what is new. Inside the tenant.

    `turned_away`: a call was refused for want of a quota, so what is left of it counts for nothing when it is less
    than a call needs.
    """
    if not limits_calls(quota):
        return []
    day = now.astimezone(zone).date()
    calls = Call.objects.filter(outcome=CallOutcome.IN_PROGRESS)
    spent = with_calls(used_of(day), day, calls, zone, now, held=False)
    month, minute = day.replace(day=1), Decimal(60)
    told = []
    for kind, period, begins, used, limit in (
        (QuotaKind.MINUTES, QuotaPeriod.DAY, day, spent.day_s / minute, quota.minutes_per_day),
        (QuotaKind.MINUTES, QuotaPeriod.MONTH, month, spent.month_s / minute, quota.minutes_per_month),
        (QuotaKind.MONEY, QuotaPeriod.DAY, day, spent.day_money, quota.money_per_day),
        (QuotaKind.MONEY, QuotaPeriod.MONTH, month, spent.month_money, quota.money_per_month),
    ):
        if limit is None:
            continue
        whole = Decimal(limit)
        crumbs = (Decimal(LEAST_S) / minute if kind == QuotaKind.MINUTES else whole / 50) if turned_away else Decimal(0)
        for percent in (80, 100):
            reached = used * 100 >= whole * percent or used + crumbs > whole
            if reached and (alarm := _once(kind, period, begins, percent, used, whole)):
                told.append(alarm)
    return told


def _once(kind: str, period: str, begins: date, percent: int, used: Decimal, limit: Decimal) -> QuotaAlarm | None:
    """Tell it, unless somebody has. Of many who notice, the one whose row it is."""
    alarm, created = QuotaAlarm.objects.get_or_create(
        kind=kind, period=period, begins_on=begins, percent=percent, defaults={"used": used, "quota": limit}
    )
    if not created:
        return None
    payload = {
        "kind": kind,
        "period": period,
        "begins_on": begins.isoformat(),
        "percent": percent,
        "used": str(used.quantize(Decimal("0.01"))),
        "quota": str(limit),
        "currency": settings.CURRENCY if kind == QuotaKind.MONEY else None,
    }
    emit(alarm.domain_uuid, EVENTS[percent], payload, fact=f"{kind} {period} {begins} {percent}")
    log.warning("quota.alarm", kind=kind, period=period, percent=percent)
    return alarm
