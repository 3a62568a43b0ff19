"""Destinations: whom callers can be put through to."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from secretary.api.resource import Created, Deleted, Listed, Patched, Replaced, Shown, seen
from secretary.api.serializing import PageQuery, ResourceSerializer
from secretary.models import Destination
from secretary.models.destination import DestinationKind
from secretary.services.destinations import create_destination, delete_destination, update_destination


class DestinationSerializer(ResourceSerializer):
    hours_uuid = serializers.UUIDField(
        source="hours_id", required=False, allow_null=True, help_text="Null: callers are put through at any hour."
    )

    fallback_uuid = serializers.UUIDField(
        source="fallback_id",
        required=False,
        allow_null=True,
        help_text="Tried when nobody takes the call here. Null: the caller is back with the secretary.",
    )

    class Meta:
        model = Destination
        fields = (
            "destination_uuid", "name", "aliases", "number", "kind", "enabled", "priority", "transfer_mode", "ring_s",
            "fallback_uuid", "hours_uuid", "message_email", "created_at", "updated_at",
        )  # fmt: skip


class DestinationQuery(PageQuery):
    kind = serializers.ChoiceField(required=False, choices=DestinationKind.choices)
    name = serializers.CharField(required=False, max_length=120, help_text="Exactly this name.")
    number = serializers.CharField(required=False, max_length=21)
    enabled = serializers.BooleanField(required=False)


class Destinations(Listed, Shown, Created, Replaced, Patched, Deleted):
    path = "destinations"
    scope = "destinations"
    lookup = "destination_uuid"
    model = Destination
    serializer_class = DestinationSerializer
    page_query = DestinationQuery

    def perform_create(self, values: dict[str, Any]) -> Destination:
        return create_destination(**values)

    def perform_update(self, row: Destination, values: dict[str, Any]) -> Destination:
        return update_destination(destination_uuid=row.pk, seen_at=seen(row), **values)

    def perform_destroy(self, row: Destination) -> None:
        delete_destination(destination_uuid=row.pk)
