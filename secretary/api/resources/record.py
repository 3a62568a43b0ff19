"""The record of changes: who changed what, from where, old and new value. It is read, and grows by itself."""

from __future__ import annotations

from typing import Any

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from secretary.api.resource import Listed
from secretary.api.serializing import PageQuery, ResourceSerializer
from tenants.models.audit import AuditEvent


@extend_schema_field({"type": ["object", "null"], "additionalProperties": True})
class Values(serializers.JSONField):
    """Fields and their values; null where there were none."""


class AuditEventSerializer(ResourceSerializer):
    old = Values(read_only=True)
    new = Values(read_only=True)

    class Meta:
        model = AuditEvent
        fields = (
            "event_uuid", "at", "actor_kind", "actor_id", "actor_label", "action", "object_kind", "object_id",
            "object_label", "old", "new", "address", "request_id",
        )  # fmt: skip
        read_only_fields = fields


class AuditQuery(PageQuery):
    action = serializers.CharField(required=False, max_length=64, help_text="Such as `secretary.changed`.")
    object_id = serializers.CharField(required=False, max_length=64)
    actor_id = serializers.CharField(required=False, max_length=64)
    request_id = serializers.CharField(required=False, max_length=64)
    at_from = serializers.DateTimeField(required=False)
    at_before = serializers.DateTimeField(required=False)


FILTERS = {
    "action": "action",
    "object_id": "object_id",
    "actor_id": "actor_id",
    "request_id": "request_id",
    "at_from": "at__gte",
    "at_before": "at__lt",
}


class Record(Listed):
    path = "audit"
    scope = "audit"
    lookup = "event_uuid"
    model = AuditEvent
    serializer_class = AuditEventSerializer
    page_query = AuditQuery
    order = "at"

    def filtered(self, rows: models.QuerySet[Any], query: dict[str, Any]) -> models.QuerySet[Any]:
        return rows.filter(**{FILTERS[name]: value for name, value in query.items() if name in FILTERS})
