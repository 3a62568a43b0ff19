"""What there is once in a domain: its quota, which only the installation changes, and its data rules.

Where nothing was ever set the defaults are shown, under an ETag of their own: so the first to change them is guarded
against a second one, too.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from django.urls import URLPattern, path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from secretary.api import conditions
from secretary.api.resource import Actions, Patched, Replaced, Shown, with_defaults
from secretary.api.resources.domains import operator_only
from secretary.api.serializing import ResourceSerializer
from secretary.services.optimistic import lock_settings
from tenants import quotas
from tenants.models import DataRules, Quota

NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
ON_ONLY: Final[Actions] = {"get": "retrieve", "put": "update", "patch": "partial_update"}


class _OneOfDomain(Shown, Replaced, Patched):
    """A row that every domain has, stored or not."""

    lookup = "domain_uuid"

    @classmethod
    def urls(cls) -> list[URLPattern]:
        return [path(f"domains/<uuid:domain_uuid>/{cls.path}", cls.as_view(ON_ONLY), name=cls.path)]

    def row(self) -> Any:
        row = self.model.objects.first() or self.model(domain_id=self.uuid())
        if row._state.adding:
            row.created_at = row.updated_at = NEVER
        return row

    def update(self, request: Request, **_: Any) -> Response:
        """Replace it: what the body leaves out gets its default. With `If-Match` it replaces that version."""
        lock_settings()
        row = self.row()
        values = with_defaults(self.serializer_class, self.checked(row=row), self.model)
        conditions.check_match(request, row, required=False)
        return self.shown(self.perform_update(row, values))


class QuotaSerializer(ResourceSerializer):
    domain_uuid = serializers.UUIDField(source="domain_id", read_only=True)

    class Meta:
        model = Quota
        fields = ("domain_uuid", *quotas.QUOTA_FIELDS, "created_at", "updated_at")


class DomainQuota(_OneOfDomain):
    path = "quota"
    scope = "quota"
    model = Quota
    serializer_class: ClassVar[type[ResourceSerializer]] = QuotaSerializer

    def perform_update(self, row: Quota, values: dict[str, Any]) -> Quota:
        if not self.principal.is_operator:
            raise operator_only(values or ["quota"])
        return quotas.set_quota(domain_uuid=self.uuid(), **values)


class DataRulesSerializer(ResourceSerializer):
    domain_uuid = serializers.UUIDField(source="domain_id", read_only=True)

    class Meta:
        model = DataRules
        fields = ("domain_uuid", *quotas.RULES_FIELDS, "created_at", "updated_at")


class DomainDataRules(_OneOfDomain):
    path = "data-rules"
    scope = "data-rules"
    model = DataRules
    serializer_class: ClassVar[type[ResourceSerializer]] = DataRulesSerializer

    def perform_update(self, row: DataRules, values: dict[str, Any]) -> DataRules:
        return quotas.set_rules(domain_uuid=self.uuid(), **values)
