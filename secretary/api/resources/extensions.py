"""Extension mappings: which secretary answers at 8XXX."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from secretary.api.resource import Created, Deleted, Listed, Patched, Replaced, Shown, seen
from secretary.api.serializing import PageQuery, ResourceSerializer
from secretary.models import ExtensionMapping
from secretary.services.extensions import create_mapping, delete_mapping, update_mapping


class ExtensionSerializer(ResourceSerializer):
    secretary_uuid = serializers.UUIDField(source="secretary_id", help_text="A secretary of this domain.")

    class Meta:
        model = ExtensionMapping
        fields = ("mapping_uuid", "extension", "secretary_uuid", "enabled", "created_at", "updated_at")


class ExtensionQuery(PageQuery):
    extension = serializers.CharField(required=False, max_length=4)
    secretary_uuid = serializers.UUIDField(required=False, source="secretary_id")
    enabled = serializers.BooleanField(required=False)


class Extensions(Listed, Shown, Created, Replaced, Patched, Deleted):
    path = "extensions"
    scope = "extensions"
    lookup = "mapping_uuid"
    model = ExtensionMapping
    serializer_class = ExtensionSerializer
    page_query = ExtensionQuery

    def perform_create(self, values: dict[str, Any]) -> ExtensionMapping:
        return create_mapping(**values)

    def perform_update(self, row: ExtensionMapping, values: dict[str, Any]) -> ExtensionMapping:
        return update_mapping(mapping_uuid=row.pk, seen_at=seen(row), **values)

    def perform_destroy(self, row: ExtensionMapping) -> None:
        delete_mapping(mapping_uuid=row.pk)
