"""Reads: how much a domain has used. Inside a tenant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from secretary.models import Call, CallOutcome

MOST_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class UsageFound:
    """Sums of a time, and what they are made of."""

    total: dict[str, Any]
    items: list[dict[str, Any]]


def usage(*, since: datetime, before: datetime, by: str, zone: ZoneInfo) -> UsageFound:
    """The calls that began in a time, counted by `day` (of the zone) or by `secretary`. Two queries."""
    calls = Call.objects.filter(started_at__gte=since, started_at__lt=before)
    groups: QuerySet[Any, Any]
    if by == "day":
        groups = calls.annotate(day=TruncDate("started_at", tzinfo=zone)).values("day").order_by("day")
    else:
        groups = calls.values("secretary_id").order_by("secretary_id")
    rows = [_figures(dict(row)) for row in groups.annotate(**_sums())[:MOST_ROWS]]
    return UsageFound(_figures(calls.aggregate(**_sums())), rows)


def _sums() -> dict[str, Any]:
    return {
        "calls": Count("pk"),
        "transferred": Count("pk", filter=Q(outcome=CallOutcome.TRANSFERRED)),
        "messages": Count("pk", filter=Q(outcome=CallOutcome.MESSAGE)),
        "failed": Count("pk", filter=Q(outcome=CallOutcome.FAILED)),
        "length": Sum(F("ended_at") - F("answered_at")),
    }


def _figures(row: dict[str, Any]) -> dict[str, Any]:
    length: timedelta | None = row.pop("length")
    day = row.pop("day", None)
    return {
        "day": day.isoformat() if day is not None else None,
        "secretary_uuid": row.pop("secretary_id", None),
        **row,
        "seconds": max(0, round(length.total_seconds())) if length is not None else 0,
    }
