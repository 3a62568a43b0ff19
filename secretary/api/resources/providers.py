"""Speech services: how a domain's secretaries reach them. Keys go in, and never come out."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from secretary.api.problems import Problem
from secretary.api.provider_fields import Options
from secretary.api.resource import Created, Deleted, Listed, Patched, Replaced, Resource, Shown, seen
from secretary.api.serializing import PageQuery, Query, ResourceSerializer, StrictSerializer
from secretary.models import ProviderCredential
from secretary.models.provider import MAX_KEY
from secretary.services import providers
from secretary.speech import trying
from secretary.speech.catalogue import DECLARED
from tenants import audit
from tenants.errors import UndecryptableError


class ProviderSerializer(ResourceSerializer):
    provider = serializers.ChoiceField(choices=[name for name, one in DECLARED.items() if one.options or one.needs_key])
    api_key = serializers.CharField(
        write_only=True,
        required=False,
        allow_blank=True,
        max_length=MAX_KEY,
        trim_whitespace=False,
        help_text="Left out: stays as it is, unless the address changes. Empty: forgotten.",
    )
    keys = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=MAX_KEY),
        write_only=True,
        required=False,
        help_text="Further keys, such as `tts_key` of a pipeline. Those left out stay; empty ones are forgotten.",
    )
    options = Options(required=False, help_text="What else this service can be told; see its documentation.")

    class Meta:
        model = ProviderCredential
        fields = (
            "credential_uuid", "provider", "label", "enabled", "api_key", "key_hint", "keys", "keys_set", "base_url",
            "model", "options", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = ("key_hint", "keys_set")


class ProviderQuery(PageQuery):
    provider = serializers.CharField(required=False, max_length=40)
    enabled = serializers.BooleanField(required=False)


class ServiceTried(serializers.Serializer[Any]):
    outcome = serializers.CharField(
        help_text="`ok`, `too_often`, or the kind of failure: auth, rate_limited, unreachable, protocol, refused."
    )
    detail = serializers.CharField()
    duration_ms = serializers.IntegerField()


def without_keys() -> models.QuerySet[ProviderCredential]:
    """Nothing that is shown needs a key, so nothing decrypts it."""
    return ProviderCredential.objects.defer("api_key", "keys")


class Providers(Listed, Shown, Created, Replaced, Patched, Deleted):
    path = "providers"
    scope = "providers"
    lookup = "credential_uuid"
    model = ProviderCredential
    serializer_class = ProviderSerializer
    page_query = ProviderQuery

    def rows(self) -> models.QuerySet[ProviderCredential]:
        return without_keys()

    def perform_create(self, values: dict[str, Any]) -> ProviderCredential:
        return providers.create_credential(**values)

    def perform_update(self, row: ProviderCredential, values: dict[str, Any]) -> ProviderCredential:
        return providers.update_credential(credential_uuid=row.pk, seen_at=seen(row), **values)

    def perform_destroy(self, row: ProviderCredential) -> None:
        try:
            providers.delete_credential(credential_uuid=row.pk)
        except ValidationError as error:
            raise Problem("conflict", " ".join(error.messages)) from error

    @classmethod
    def urls(cls) -> list[URLPattern]:
        one = f"domains/<uuid:domain_uuid>/{cls.path}/<uuid:{cls.lookup}>"
        return [*super().urls(), path(f"{one}/test", ProviderTest.as_view({"post": "attempt"}), name="provider-test")]


class ProviderTest(Resource):
    """Trying one out."""

    path = "providers"
    scope = "providers"
    operation = "provider-test"
    lookup = "credential_uuid"
    model = ProviderCredential
    serializer_class = ProviderSerializer
    query_class = Query

    def rows(self) -> models.QuerySet[ProviderCredential]:
        return without_keys()

    @extend_schema(request=StrictSerializer, responses={200: ServiceTried})
    def attempt(self, request: Request, **_: Any) -> Response:
        """Connect as a call would, within 6 s, and say how that went. Ten times a minute at most."""
        self.body(StrictSerializer(data=request.data))
        row = ProviderCredential.objects.defer("api_key", "keys").get(pk=self.row().pk)
        audit.log("providercredential.tested", audit.subject_of(row))
        try:
            tried = trying.attempt(row.provider, row.access(), owner=row.domain_uuid)
        except UndecryptableError:
            tried = trying.Tried("auth", "The key cannot be read: give it again.", 0)
        return Response({"outcome": tried.outcome, "detail": tried.detail, "duration_ms": tried.duration_ms})
