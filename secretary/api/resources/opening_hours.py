"""Opening hours and the days that are different."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from secretary.api.resource import Created, Deleted, Listed, Patched, Replaced, Shown, seen
from secretary.api.serializing import PageQuery, ResourceSerializer
from secretary.api.times import Times, Week
from secretary.models import OpeningHours, SpecialDay
from secretary.services.opening_hours import (
    create_day,
    create_hours,
    delete_day,
    delete_hours,
    update_day,
    update_hours,
)


class OpeningHoursSerializer(ResourceSerializer):
    weekly = Week(required=False)

    class Meta:
        model = OpeningHours
        fields = (
            "hours_uuid", "name", "is_default", "source", "weekly", "holidays_country", "holidays_subdivision",
            "created_at", "updated_at",
        )  # fmt: skip


class OpeningHoursQuery(PageQuery):
    name = serializers.CharField(required=False, max_length=120, help_text="Exactly this name.")
    is_default = serializers.BooleanField(required=False)


class Hours(Listed, Shown, Created, Replaced, Patched, Deleted):
    path = "opening-hours"
    scope = "opening-hours"
    lookup = "hours_uuid"
    model = OpeningHours
    serializer_class = OpeningHoursSerializer
    page_query = OpeningHoursQuery

    def perform_create(self, values: dict[str, Any]) -> OpeningHours:
        return create_hours(**values)

    def perform_update(self, row: OpeningHours, values: dict[str, Any]) -> OpeningHours:
        return update_hours(hours_uuid=row.pk, seen_at=seen(row), **values)

    def perform_destroy(self, row: OpeningHours) -> None:
        delete_hours(hours_uuid=row.pk)


class SpecialDaySerializer(ResourceSerializer):
    hours_uuid = serializers.UUIDField(
        source="hours_id", required=False, allow_null=True, help_text="Null: all opening hours of the domain."
    )
    ranges = Times(required=False)

    class Meta:
        model = SpecialDay
        fields = ("day_uuid", "hours_uuid", "name", "date", "every_year", "ranges", "created_at", "updated_at")


class SpecialDayQuery(PageQuery):
    hours_uuid = serializers.UUIDField(required=False, source="hours_id")
    date = serializers.DateField(required=False)
    every_year = serializers.BooleanField(required=False)


class SpecialDays(Listed, Shown, Created, Replaced, Patched, Deleted):
    path = "special-days"
    scope = "opening-hours"
    lookup = "day_uuid"
    model = SpecialDay
    serializer_class = SpecialDaySerializer
    page_query = SpecialDayQuery

    def perform_create(self, values: dict[str, Any]) -> SpecialDay:
        return create_day(**values)

    def perform_update(self, row: SpecialDay, values: dict[str, Any]) -> SpecialDay:
        return update_day(day_uuid=row.pk, seen_at=seen(row), **values)

    def perform_destroy(self, row: SpecialDay) -> None:
        delete_day(day_uuid=row.pk)
