"""Reads: what a month has cost, by day, secretary and model, and how far its quotas are used. Inside a tenant.

Read from the days' sums: a few rows a day, however many calls there were, and the same number of queries.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

from secretary.models import Call, CallOutcome, Secretary, UsageDay, UsageUnit
from secretary.services.allowance import next_month, used_of, with_calls
from tenants.models import Domain, QuotaAlarm, QuotaKind, QuotaPeriod
from tenants.quotas import quota_of


@dataclass(slots=True)
class Figures:
    """Sums: calls, seconds of conversation, money in the installation's currency."""

    calls: int = 0
    seconds: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)

    @property
    def minutes(self) -> Decimal:
        return self.seconds / 60

    def add(self, row: UsageDay) -> None:
        if row.unit == UsageUnit.SECOND:
            self.calls += row.calls
            self.seconds += row.quantity
        if row.currency == settings.CURRENCY:
            self.amount += row.amount


@dataclass(slots=True)
class MonthOfUsage:
    """One month; days without calls are left out. A secretary that is gone has no name."""

    total: Figures = field(default_factory=Figures)
    by_day: dict[date, Figures] = field(default_factory=lambda: defaultdict(Figures))
    by_secretary: dict[UUID | None, Figures] = field(default_factory=lambda: defaultdict(Figures))
    by_model: dict[tuple[str, str], Figures] = field(default_factory=lambda: defaultdict(Figures))
    """By service and model; no model where there is none to choose."""
    names: dict[UUID, str] = field(default_factory=dict)


def month_of_usage(first: date) -> MonthOfUsage:
    """The month that begins on `first`. Two queries."""
    month = MonthOfUsage()
    for row in UsageDay.objects.filter(day__gte=first, day__lt=next_month(first)).order_by("day"):
        month.total.add(row)
        month.by_day[row.day].add(row)
        month.by_secretary[row.secretary_uuid].add(row)
        month.by_model[row.provider, row.model].add(row)
    uuids = [uuid for uuid in month.by_secretary if uuid is not None]
    month.names = dict(Secretary.objects.filter(pk__in=uuids).values_list("pk", "name"))
    return month


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """One quota and how much of it is used, with the calls that are going on."""

    kind: str
    period: str
    used: Decimal
    quota: Decimal

    @property
    def percent(self) -> int:
        return int(min(Decimal(999), self.used * 100 / self.quota))


def quota_use(now: datetime) -> list[QuotaUse]:
    """The domain's quotas of minutes and money, those there are. Four queries at most."""
    quota = quota_of()
    limits = (
        (QuotaKind.MINUTES, QuotaPeriod.DAY, quota.minutes_per_day),
        (QuotaKind.MINUTES, QuotaPeriod.MONTH, quota.minutes_per_month),
        (QuotaKind.MONEY, QuotaPeriod.DAY, quota.money_per_day),
        (QuotaKind.MONEY, QuotaPeriod.MONTH, quota.money_per_month),
    )
    if all(limit is None for _, _, limit in limits):
        return []
    zone = ZoneInfo(Domain.objects.get().time_zone)
    day = now.astimezone(zone).date()
    calls = Call.objects.filter(outcome=CallOutcome.IN_PROGRESS)
    spent = with_calls(used_of(day), day, calls, zone, now, held=False)
    used = {
        (QuotaKind.MINUTES, QuotaPeriod.DAY): spent.day_s / 60,
        (QuotaKind.MINUTES, QuotaPeriod.MONTH): spent.month_s / 60,
        (QuotaKind.MONEY, QuotaPeriod.DAY): spent.day_money,
        (QuotaKind.MONEY, QuotaPeriod.MONTH): spent.month_money,
    }
    known = [(kind, period, Decimal(limit)) for kind, period, limit in limits if limit is not None]
    return [QuotaUse(kind, period, used[kind, period], limit) for kind, period, limit in known]


def alarms_now(now: datetime, time_zone: str) -> list[QuotaAlarm]:
    """What was told about the periods that are going on: of each quota the worst. One query."""
    day = now.astimezone(ZoneInfo(time_zone)).date()
    first = day.replace(day=1)
    rows = QuotaAlarm.objects.filter(begins_on__gte=first, begins_on__lte=day).order_by("percent")
    worst = {
        (row.kind, row.period): row
        for row in rows
        if row.begins_on == (day if row.period == QuotaPeriod.DAY else first)
    }
    return sorted(worst.values(), key=lambda row: -row.percent)
