"""How long a domain's quotas let its calls last.

A call holds what it may still use: `Call.granted_until` takes the time from its start until then out of the quotas of
the day and month in which it began, and every renewal of its lease moves it on, as far as there is something left. So
calls that run side by side can never use the same minute twice, and a node that is cut off from the database ends its
calls when what they hold is used up. All of it happens under the lock under which call slots are counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import Q, Sum
from django.utils import timezone

from secretary.models import Call, CallOutcome, UsageDay, UsageUnit
from tenants.context import platform_context, tenant_context
from tenants.models import Domain, Quota
from tenants.quotas import limits_calls, quota_of

GRANT_S: Final = 60
"""Seconds that a call holds ahead: three renewals."""
LEAST_S: Final = 20
"""With less left, a call is not taken: the caller would be told goodbye before they have said what they want."""
ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Spent:
    """Used, or held by calls, of the quotas of one day and its month."""

    day_s: Decimal = ZERO
    month_s: Decimal = ZERO
    day_money: Decimal = ZERO
    month_money: Decimal = ZERO

    def plus(self, seconds: Decimal, money: Decimal, *, same_day: bool) -> Spent:
        return Spent(
            self.day_s + (seconds if same_day else 0),
            self.month_s + seconds,
            self.day_money + (money if same_day else 0),
            self.month_money + money,
        )


@dataclass(frozen=True, slots=True)
class Left:
    """Seconds left for a call; None: no end. `money`: it is money that sets the end."""

    seconds: Decimal | None = None
    money: bool = False


def left(quota: Quota, spent: Spent, second_price: Decimal) -> Left:
    """How long a call at this price could last. Money says nothing about what is free."""
    ends = [
        (limit * 60 - used, False)
        for limit, used in ((quota.minutes_per_day, spent.day_s), (quota.minutes_per_month, spent.month_s))
        if limit is not None
    ]
    if second_price > 0:
        ends += [
            ((limit - used) / second_price, True)
            for limit, used in ((quota.money_per_day, spent.day_money), (quota.money_per_month, spent.month_money))
            if limit is not None
        ]
    if not ends:
        return Left()
    seconds, money = min(ends)
    return Left(max(ZERO, Decimal(seconds)), money)


def out_of_money(quota: Quota, spent: Spent) -> bool:
    """Whether nothing is left of the money: not even for what is not paid by the second."""
    pairs = ((quota.money_per_day, spent.day_money), (quota.money_per_month, spent.month_money))
    return any(limit is not None and used >= limit for limit, used in pairs)


def used_of(day: date) -> Spent:
    """What calls that are over have used of a day and its month. Inside the tenant; one query."""
    seconds, money = Q(unit=UsageUnit.SECOND), Q(currency=settings.CURRENCY)
    sums = UsageDay.objects.filter(day__gte=day.replace(day=1), day__lt=next_month(day)).aggregate(
        day_s=Sum("quantity", filter=seconds & Q(day=day)),
        month_s=Sum("quantity", filter=seconds),
        day_money=Sum("amount", filter=money & Q(day=day)),
        month_money=Sum("amount", filter=money),
    )
    return Spent(**{name: value or ZERO for name, value in sums.items()})


def with_calls(spent: Spent, day: date, calls: Iterable[Call], zone: ZoneInfo, now: datetime, *, held: bool) -> Spent:
    """The same with the calls in progress: what they hold, or only what they have used so far."""
    for call in calls:
        began = call.started_at.astimezone(zone).date()
        if (began.year, began.month) != (day.year, day.month):
            continue
        spent = spent.plus(*_holds(call, now, ahead=held), same_day=began == day)
    return spent


def _holds(call: Call, now: datetime, *, ahead: bool = True, sign: int = 1) -> tuple[Decimal, Decimal]:
    """Seconds and money of a call in progress, with what it holds ahead or without."""
    until = max(call.granted_until or now, now) if ahead else now
    seconds = sign * Decimal(str(max(0.0, (until - call.started_at).total_seconds())))
    return seconds, seconds * call.second_price + sign * call.spent


def first_grant(
    quota: Quota, zone: ZoneInfo, second_price: Decimal, now: datetime, *, call_uuid: UUID, began: datetime
) -> tuple[Left, Spent]:
    """What is left for a call that comes in, of the day in which it began. Inside the tenant, under its lock."""
    day = began.astimezone(zone).date()
    others = Call.objects.filter(outcome=CallOutcome.IN_PROGRESS).exclude(call_uuid=call_uuid)
    spent = with_calls(used_of(day), day, others, zone, now, held=True)
    rest = left(quota, spent, second_price)
    if rest.seconds is not None:
        rest = Left(rest.seconds - Decimal(str((now - began).total_seconds())), rest.money)
    return rest, spent


def renew(*, node: str, call_uuids: Collection[UUID], now: datetime | None = None) -> dict[UUID, float | None]:
    """Let a node's calls hold more, as far as their domains' quotas go; with every renewal of the leases.

    Returns, for calls under a quota, how many seconds they may last from now on; None for a call whose quota was
    lifted. Calls that are not named have none.
    """
    if not call_uuids:
        return {}
    moment = now or timezone.now()
    mine = Q(call_uuid__in=call_uuids, node=node, outcome=CallOutcome.IN_PROGRESS)
    with platform_context():
        domains = set(Call.objects.filter(mine).order_by().values_list("domain_id", flat=True))
        limited = {row.pk for row in Quota.objects.filter(domain_id__in=domains) if limits_calls(row)}
        freed = Call.objects.filter(mine, granted_until__isnull=False).exclude(domain_id__in=limited)
        allowed: dict[UUID, float | None] = dict.fromkeys(freed.values_list("call_uuid", flat=True))
        if allowed:
            Call.objects.filter(mine, call_uuid__in=allowed).update(granted_until=None)
    for domain_uuid in sorted(limited):
        with tenant_context(domain_uuid):
            allowed.update(_renew_domain(domain_uuid, mine, moment))
    return allowed


def _renew_domain(domain_uuid: UUID, mine: Q, now: datetime) -> dict[UUID, float | None]:
    from secretary.services.quota_alarms import look

    lock_slots(domain_uuid)
    quota, zone = quota_of(), ZoneInfo(Domain.objects.get().time_zone)
    if not limits_calls(quota):
        return {}
    calls = list(Call.objects.filter(outcome=CallOutcome.IN_PROGRESS).order_by("started_at"))
    own = set(Call.objects.filter(mine).values_list("call_uuid", flat=True))
    by_day: dict[date, list[Call]] = defaultdict(list)
    for call in calls:
        by_day[call.started_at.astimezone(zone).date()].append(call)
    allowed: dict[UUID, float | None] = {}
    for day, began_then in by_day.items():
        held = with_calls(used_of(day), day, calls, zone, now, held=True)
        for call in began_then:
            if call.call_uuid not in own:
                continue
            others = held.plus(*_holds(call, now, sign=-1), same_day=True)
            rest = left(quota, others, call.second_price)
            until = now + timedelta(seconds=GRANT_S)
            if rest.seconds is not None:
                until = min(until, call.started_at + timedelta(seconds=float(rest.seconds)))
            # Tokens cost what they cost: only what they have cost so far is known, and no second ahead.
            spent_out = bool(call.spent) and out_of_money(
                quota, others.plus(*_holds(call, now, ahead=False), same_day=True)
            )
            until = now if spent_out else until
            call.granted_until = until
            held = others.plus(*_holds(call, now), same_day=True)
            allowed[call.call_uuid] = (
                max(0.0, (until - now).total_seconds()) if rest.seconds is not None or spent_out else None
            )
    Call.objects.bulk_update([call for call in calls if call.call_uuid in own], ["granted_until"], batch_size=200)
    look(quota, zone, now)
    return allowed


def next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def lock_slots(domain_uuid: UUID) -> None:
    """Let one transaction at a time count what the tenant's calls hold; released at its end."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"call-slots:{domain_uuid}"])
