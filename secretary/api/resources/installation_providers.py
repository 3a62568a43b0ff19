"""The installation's keys of speech services: for every domain that has none of its own. One a service."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSetMixin

from secretary.api import conditions
from secretary.api.problems import Problem
from secretary.api.provider_fields import Options
from secretary.api.resource import Actions, with_defaults
from secretary.api.serializing import OneQuery, Query, ResourceSerializer, chosen_fields
from secretary.api.view import InstallationView
from secretary.models import InstallationProvider
from secretary.models.provider import MAX_KEY
from secretary.services.providers import delete_installation, save_installation
from secretary.speech.catalogue import DECLARED, LOCAL


class InstallationProviderSerializer(ResourceSerializer):
    provider = serializers.CharField(read_only=True)
    api_key = serializers.CharField(
        write_only=True, required=False, allow_blank=True, max_length=MAX_KEY, trim_whitespace=False,
        help_text="Left out: stays as it is, unless the address changes. Empty: forgotten.",
    )  # fmt: skip
    keys = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=MAX_KEY), write_only=True, required=False
    )
    options = Options(required=False)

    class Meta:
        model = InstallationProvider
        fields = (
            "provider", "enabled", "api_key", "key_hint", "keys", "keys_set", "base_url", "model", "options",
            "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = ("key_hint", "keys_set")


class InstallationProviderList(serializers.Serializer[Any]):
    items = InstallationProviderSerializer(many=True)


class _InstallationProviders(ViewSetMixin, InstallationView):
    scope = "providers"
    serializer_class: ClassVar = InstallationProviderSerializer

    @property
    def query_class(self) -> type[Query]:  # type: ignore[override]
        return OneQuery if getattr(self, "action", "") in ("services", "retrieve") else Query

    def rows(self) -> models.QuerySet[InstallationProvider]:
        return InstallationProvider.objects.defer("api_key", "keys")

    def service(self) -> str:
        """Raises Problem for a service that there is not."""
        found: str = self.kwargs["provider"]
        if found not in DECLARED or found == LOCAL:
            raise Problem("not_found")
        return found


class InstallationProviders(_InstallationProviders):
    operation = "installation-providers"

    @classmethod
    def urls(cls) -> list[URLPattern]:
        one: Actions = {"get": "retrieve", "put": "update", "delete": "destroy"}
        return [
            path("providers", cls.as_view({"get": "services"}), name="installation-providers-list"),
            path("providers/<slug:provider>", OneProvider.as_view(one), name="installation-providers-detail"),
        ]

    @extend_schema(responses=InstallationProviderList)
    def services(self, request: Request) -> Response:
        """All of them: one a service at most."""
        only = chosen_fields(self.query().get("fields"), InstallationProviderSerializer)
        return Response({"items": InstallationProviderSerializer(self.rows(), many=True, only=only).data})


class OneProvider(_InstallationProviders):
    operation = "installation-provider"

    def retrieve(self, request: Request, **_: Any) -> Response:
        """The installation's key of one service. With `If-None-Match`, 304 where it is still the same."""
        only = chosen_fields(self.query().get("fields"), InstallationProviderSerializer)
        row = self.rows().filter(provider=self.service()).first()
        if row is None:
            raise Problem("not_found")
        if conditions.not_modified(request, row):
            return Response(status=304, headers=_headers(row))
        return Response(InstallationProviderSerializer(row, only=only).data, headers=_headers(row))

    def update(self, request: Request, **_: Any) -> Response:
        """Make or replace it: what the body leaves out gets its default, keys stay. `If-Match` is kept, if given."""
        row = InstallationProvider.objects.select_for_update().filter(provider=self.service()).first()
        values = self.body(InstallationProviderSerializer(row, data=request.data))
        values = with_defaults(InstallationProviderSerializer, values, InstallationProvider)
        conditions.check_match(request, row, required=False)
        return self.shown(save_installation(provider=self.service(), **values), status=200 if row is not None else 201)

    def destroy(self, request: Request, **_: Any) -> Response:
        """Forget it. `If-Match` is required: the ETag that was read, or `*`."""
        row = self.rows().filter(provider=self.service()).first()
        if row is None:
            raise Problem("not_found")
        conditions.check_match(request, row, required=True)
        delete_installation(provider=row.provider)
        return Response(status=204)

    def shown(self, row: InstallationProvider, *, status: int = 200) -> Response:
        return Response(InstallationProviderSerializer(row).data, status=status, headers=_headers(row))


def _headers(row: InstallationProvider) -> dict[str, str]:
    return {"ETag": conditions.etag_of(row), "Cache-Control": "private, no-cache"}
