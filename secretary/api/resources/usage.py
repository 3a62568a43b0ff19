"""Usage: how many calls, how long, and what they cost: by day, secretary, provider or model."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from secretary.api.problems import Problem, invalid
from secretary.api.serializing import Query
from secretary.api.view import DomainView
from secretary.selectors.usage import usage

MOST_DAYS = 366


class UsageQuery(Query):
    """Whole days in the domain's time zone."""

    first_day = serializers.DateField(required=False, help_text="Default: 30 days before the last one.")
    last_day = serializers.DateField(required=False, help_text="Included. Default: today.")
    by = serializers.ChoiceField(required=False, choices=["day", "secretary", "provider", "model"], default="day")


class UsageFigures(serializers.Serializer[Any]):
    day = serializers.DateField(allow_null=True, help_text="Where it was asked for by day.")
    secretary_uuid = serializers.UUIDField(allow_null=True, help_text="Where it was asked for by secretary.")
    provider = serializers.CharField(
        allow_null=True, help_text="The service, where it was asked for by it or by model."
    )
    model = serializers.CharField(allow_null=True, help_text="Where it was asked for by model; empty: it has none.")
    calls = serializers.IntegerField()
    transferred = serializers.IntegerField()
    messages = serializers.IntegerField()
    failed = serializers.IntegerField()
    seconds = serializers.IntegerField(help_text="From answer to end, of calls that have ended.")
    amount = serializers.DecimalField(
        max_digits=20, decimal_places=6, help_text="What the calls of these whole days have cost, in `currency`."
    )


class UsageSerializer(serializers.Serializer[Any]):
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    time_zone = serializers.CharField()
    currency = serializers.CharField(help_text="ISO 4217; of the installation.")
    total = UsageFigures()
    items = UsageFigures(many=True)


class Usage(DomainView):
    operation = "usage"
    scope = "usage"
    query_class = UsageQuery

    @extend_schema(responses=UsageSerializer)
    def get(self, request: Request, **_: Any) -> Response:
        """Calls, seconds and money of some days: by day (those with calls), secretary, provider or model."""
        if self.domain is None:
            raise Problem("not_found")
        query, zone = self.query(), ZoneInfo(self.domain.time_zone)
        first, last = _days(query, timezone.now().astimezone(zone).date())
        found = usage(
            since=datetime.combine(first, time(), zone),
            before=datetime.combine(last + timedelta(days=1), time(), zone),
            by=query["by"],
            zone=zone,
        )
        return Response(
            {
                "first_day": first.isoformat(),
                "last_day": last.isoformat(),
                "time_zone": self.domain.time_zone,
                "currency": settings.CURRENCY,
                "total": found.total,
                "items": found.items,
            }
        )


def _days(query: dict[str, Any], today: date) -> tuple[date, date]:
    last = query.get("last_day", today)
    # A year of room on both sides, so that no arithmetic on days can leave the calendar.
    if not date(2000, 1, 1) <= last <= date(9000, 1, 1):
        raise invalid("last_day", "invalid", _("A day since the year 2000 is wanted."))
    first = query.get("first_day", last - timedelta(days=30))
    if not timedelta(0) <= last - first <= timedelta(days=MOST_DAYS):
        raise invalid("first_day", "invalid", _("It is after the last day, or more than a year before it."))
    return first, last


def urls() -> list[URLPattern]:
    return [path("domains/<uuid:domain_uuid>/usage", Usage.as_view(), name="usage")]
