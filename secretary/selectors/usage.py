"""Reads: how much a domain has used. Inside a tenant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from secretary.models import Call, CallOutcome, UsageDay

MOST_ROWS = 1_000
_NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class UsageFound:
    """Sums of a time, and what they are made of."""

    total: dict[str, Any]
    items: list[dict[str, Any]]


_KEYS: Final = {
    "day": ("day",),
    "secretary": ("secretary_id",),
    "provider": ("provider",),
    "model": ("provider", "model"),
}
"""What is counted by, as the rows of calls name it."""
_IN_SUMS: Final = {"secretary_id": "secretary_uuid"}
"""The same in the days' sums, where that is another name."""


def usage(*, since: datetime, before: datetime, by: str, zone: ZoneInfo) -> UsageFound:
    """The calls that began in a time, counted by `day` (of the zone), `secretary`, `provider` or `model`.

    What they cost is read from the sums of whole days. A service, or a model, that has cost money and had no call for
    longest (it took one over, or wrote down what another one heard) has a row without calls. Three queries.
    """
    calls = Call.objects.filter(started_at__gte=since, started_at__lt=before)
    keys = _KEYS[by]
    groups: QuerySet[Any, Any] = calls
    if by == "day":
        groups = calls.annotate(day=TruncDate("started_at", tzinfo=zone))
    elif "provider" in keys:
        groups = calls.exclude(provider="")  # refused: no service was asked
    amounts = _amounts(since.astimezone(zone).date(), before.astimezone(zone).date(), keys)
    total = _figures(calls.aggregate(**_sums()), sum(amounts.values(), _NOTHING))
    rows = [
        _figures(dict(row), amounts.pop(tuple(row[key] for key in keys), _NOTHING))
        for row in groups.values(*keys).order_by(*keys).annotate(**_sums())[:MOST_ROWS]
    ]
    if "provider" in keys:
        nothing = dict.fromkeys(("calls", "transferred", "messages", "failed"), 0) | {"length": None}
        others = sorted((key, amount) for key, amount in amounts.items() if amount)
        rows += [_figures(dict(zip(keys, key, strict=True)) | nothing, amount) for key, amount in others]
    return UsageFound(total, rows)


def _amounts(first: date, end: date, keys: tuple[str, ...]) -> dict[tuple[Any, ...], Decimal]:
    """Money by the keys, from `first` to the day before `end`."""
    rows = UsageDay.objects.filter(day__gte=first, day__lt=end, currency=settings.CURRENCY)
    columns = [_IN_SUMS.get(key, key) for key in keys]
    found = rows.order_by().values_list(*columns).annotate(sum=Sum("amount"))
    return {tuple(values): amount for *values, amount in found}


def _sums() -> dict[str, Any]:
    return {
        "calls": Count("pk"),
        "transferred": Count("pk", filter=Q(outcome=CallOutcome.TRANSFERRED)),
        "messages": Count("pk", filter=Q(outcome=CallOutcome.MESSAGE)),
        "failed": Count("pk", filter=Q(outcome=CallOutcome.FAILED)),
        "length": Sum(F("ended_at") - F("answered_at")),
    }


def _figures(row: dict[str, Any], amount: Decimal) -> dict[str, Any]:
    length: timedelta | None = row.pop("length")
    day = row.pop("day", None)
    return {
        "day": day.isoformat() if day is not None else None,
        "secretary_uuid": row.pop("secretary_id", None),
        "provider": row.pop("provider", None),
        "model": row.pop("model", None),
        **row,
        "seconds": max(0, round(length.total_seconds())) if length is not None else 0,
        "amount": f"{amount:.6f}",
    }
