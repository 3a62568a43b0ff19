"""Dial rules: what a domain's secretaries may dial. One a domain. And what was dialled, or refused, and why."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.urls import URLPattern, path
from rest_framework import serializers

from eslbridge.dialling import RULE_FIELDS, save_rules
from eslbridge.models import DialAttempt, DialRules
from secretary.api.resource import ON_ONE, Deleted, Listed, Patched, Replaced, Shown
from secretary.api.serializing import PageQuery, ResourceSerializer
from tenants import audit


class DialRulesSerializer(ResourceSerializer):
    domain_uuid = serializers.UUIDField(source="domain_id", read_only=True)

    class Meta:
        model = DialRules
        fields = ("domain_uuid", *RULE_FIELDS, "created_at", "updated_at")


class Rules(Shown, Replaced, Patched, Deleted):
    """Without them (404) the defaults hold: the domain's own numbers, and stored external destinations."""

    path = "dial-rules"
    scope = "dial-rules"
    lookup = "domain_uuid"
    model = DialRules
    serializer_class = DialRulesSerializer

    @classmethod
    def urls(cls) -> list[URLPattern]:
        return [path(f"domains/<uuid:domain_uuid>/{cls.path}", cls.as_view(ON_ONE), name=cls.path)]

    def perform_create(self, values: dict[str, Any]) -> DialRules:
        return save_rules(**values)

    def perform_update(self, row: DialRules, values: dict[str, Any]) -> DialRules:
        return save_rules(domain_uuid=row.pk, **values)

    def perform_destroy(self, row: DialRules) -> None:
        audit.deleted(row)
        row.delete()


class DialSerializer(ResourceSerializer):
    class Meta:
        model = DialAttempt
        fields = (
            "attempt_uuid", "call_uuid", "secretary_uuid", "job_uuid", "kind", "number", "e164", "region", "allowed",
            "reason", "detail", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class DialQuery(PageQuery):
    allowed = serializers.BooleanField(required=False)
    reason = serializers.CharField(required=False, max_length=24)
    call_uuid = serializers.UUIDField(required=False)
    job_uuid = serializers.UUIDField(required=False)
    created_from = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False)


FILTERS = {"created_from": "created_at__gte", "created_before": "created_at__lt"}


class Dials(Listed):
    path = "dials"
    scope = "dials"
    lookup = "attempt_uuid"
    model = DialAttempt
    serializer_class = DialSerializer
    page_query = DialQuery

    def filtered(self, rows: models.QuerySet[Any], query: dict[str, Any]) -> models.QuerySet[Any]:
        wanted = {FILTERS.get(name, name): value for name, value in query.items()}
        return rows.filter(**{name: wanted[name] for name in wanted if name not in ("limit", "cursor", "fields")})
