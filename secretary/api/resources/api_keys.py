"""API keys: of a domain, below it; of the installation, at the top. The key itself is shown once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar

from django.db import models
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSetMixin

from secretary.api import conditions, pages
from secretary.api.principal import Principal, covers
from secretary.api.problems import Problem, invalid
from secretary.api.resource import Actions, Created, Deleted, Listed, Patched, Resource, Shown
from secretary.api.serializing import OneQuery, PageQuery, Query, ResourceSerializer, StrictSerializer, chosen_fields
from secretary.api.view import InstallationView
from secretary.selectors.keyset import keyset_page
from secretary.services.optimistic import lock_settings
from tenants import audit, keys
from tenants.models import ApiKey, InstallationKey

SHOWN = (
    "key_uuid", "name", "prefix", "scopes", "allowed_ips", "rate_per_minute", "expires_at", "revoked_at",
    "replaced_by", "last_used_at", "last_used_ip", "created_by", "created_at", "updated_at",
)  # fmt: skip
WRITTEN = ("name", "scopes", "allowed_ips", "rate_per_minute", "expires_at")


class _KeySerializer(ResourceSerializer):
    scopes = serializers.ListField(
        child=serializers.CharField(max_length=40), min_length=1, max_length=40, help_text="Such as `calls:read`, `*`."
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True)

    def validate_scopes(self, value: list[str]) -> list[str]:
        from secretary.api.resources import known_scopes

        unknown = sorted(set(value) - known_scopes())
        if unknown:
            reason = _("Unknown: %(unknown)s.") % {"unknown": ", ".join(unknown)[:200]}
            raise serializers.ValidationError(reason, "unknown_scope")
        return sorted(set(value))

    def validate_expires_at(self, value: Any) -> Any:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError(_("This time is over."))
        return value


class ApiKeySerializer(_KeySerializer):
    class Meta:
        model = ApiKey
        fields = SHOWN
        read_only_fields = tuple(name for name in SHOWN if name not in WRITTEN)


class InstallationKeySerializer(_KeySerializer):
    class Meta(ApiKeySerializer.Meta):
        model = InstallationKey  # type: ignore[assignment]


class NewApiKeySerializer(ApiKeySerializer):
    token = serializers.CharField(read_only=True, allow_null=True, help_text="The key. It is shown this once.")

    class Meta(ApiKeySerializer.Meta):
        fields = ("token", *SHOWN)  # type: ignore[assignment]


class NewInstallationKeySerializer(InstallationKeySerializer):
    token = serializers.CharField(read_only=True, allow_null=True, help_text="The key. It is shown this once.")

    class Meta(InstallationKeySerializer.Meta):
        fields = ("token", *SHOWN)  # type: ignore[assignment]


class Rotation(StrictSerializer):
    """How long the old key goes on."""

    overlap_s = serializers.IntegerField(
        min_value=0, max_value=int(keys.MAX_OVERLAP.total_seconds()), default=int(keys.DEFAULT_OVERLAP.total_seconds())
    )


def check_grant(principal: Principal, scopes: Iterable[str]) -> None:
    """Nobody gives more than they have. Raises Problem."""
    beyond = sorted(scope for scope in scopes if not covers(principal.scopes, scope))
    if beyond:
        reason = _("Your own key has not: %(scopes)s.") % {"scopes": ", ".join(beyond)}
        raise invalid("scopes", "scope_exceeded", reason)


def check_values(principal: Principal, values: dict[str, Any], key: keys.AnyKey | None = None) -> None:
    """What a key may be given by whom. Raises Problem."""
    check_grant(principal, values.get("scopes", ()))
    before = key.rate_per_minute if key is not None else None
    if values.get("rate_per_minute", before) != before and not principal.is_operator:
        raise invalid("rate_per_minute", "operator_only", _("Only the installation decides this."))


def change(key: keys.AnyKey, values: dict[str, Any]) -> keys.AnyKey:
    """Raises Problem for a key that is dead, ValidationError."""
    if key.revoked_at is not None:
        raise Problem("conflict", _("The key is revoked."))
    before = audit.before(key)
    for name, value in values.items():
        setattr(key, name, value)
    key.full_clean()
    key.save(update_fields=[*values, "updated_at"])
    audit.saved(key, before)
    return key


def rotated(principal: Principal, key: keys.AnyKey, overlap_s: int) -> keys.IssuedKey:
    check_grant(principal, key.scopes)
    try:
        return keys.rotate(key, overlap=timedelta(seconds=overlap_s), created_by=principal.name)
    except ValueError as error:
        raise Problem("conflict", str(error)) from error


def new_key(serializer: type[serializers.BaseSerializer[Any]], issued: keys.IssuedKey, status: int = 201) -> Response:
    data = {**serializer(issued.key).data, "token": issued.token}
    return Response(data, status=status, headers={"ETag": conditions.etag_of(issued.key)})


class ApiKeys(Listed, Shown, Created, Patched, Deleted):
    path = "api-keys"
    scope = "api-keys"
    lookup = "key_uuid"
    model = ApiKey
    serializer_class = ApiKeySerializer
    shown_once = ("token",)

    @classmethod
    def urls(cls) -> list[URLPattern]:
        one = f"domains/<uuid:domain_uuid>/{cls.path}/<uuid:{cls.lookup}>/rotate"
        return [*super().urls(), path(one, ApiKeyRotation.as_view({"post": "rotate"}), name="api-key-rotate")]

    @extend_schema(responses={201: NewApiKeySerializer})
    def create(self, request: Request, **_: Any) -> Response:
        """Make a key to the domain. The answer holds it, this once."""
        values = self.checked()
        check_values(self.principal, values)
        issued = keys.issue_domain_key(domain_uuid=self.kwargs["domain_uuid"], created_by=self.principal.name, **values)
        return new_key(ApiKeySerializer, issued)

    def perform_update(self, row: ApiKey, values: dict[str, Any]) -> Any:
        check_values(self.principal, values, row)
        return change(row, values)

    def perform_destroy(self, row: ApiKey) -> None:
        """Revoke it, at once. The row stays, for the record."""
        keys.revoke(row)


class ApiKeyRotation(Resource):
    path = "api-keys"
    operation = "api-key"
    scope = "api-keys"
    lookup = "key_uuid"
    model = ApiKey
    serializer_class = ApiKeySerializer
    query_class = Query
    shown_once = ("token",)

    @extend_schema(request=Rotation, responses={201: NewApiKeySerializer})
    def rotate(self, request: Request, **_: Any) -> Response:
        """Make the key's successor. The old one goes on for `overlap_s`, so that nothing stands still meanwhile."""
        wanted = self.body(Rotation(data=request.data))
        lock_settings()
        return new_key(ApiKeySerializer, rotated(self.principal, self.row(), wanted["overlap_s"]))


class _InstallationKeys(ViewSetMixin, InstallationView):
    scope = "api-keys"
    shown_once = ("token",)
    serializer_class: ClassVar = InstallationKeySerializer

    def row(self) -> InstallationKey:
        rows = InstallationKey.objects.select_for_update().defer("assertion_secret")
        row = rows.filter(pk=self.kwargs["key_uuid"]).first()
        if row is None:
            raise Problem("not_found")
        return row


class InstallationKeys(_InstallationKeys):
    operation = "installation-keys"
    pagination_class: ClassVar = pages.CursorPages

    @classmethod
    def urls(cls) -> list[URLPattern]:
        one: Actions = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        return [
            path("api-keys", cls.as_view({"get": "list", "post": "create"}), name="installation-keys-list"),
            path("api-keys/<uuid:key_uuid>", OneInstallationKey.as_view(one), name="installation-keys-detail"),
            path(
                "api-keys/<uuid:key_uuid>/rotate",
                InstallationKeyRotation.as_view({"post": "rotate"}),
                name="installation-key-rotate",
            ),
        ]

    @property
    def query_class(self) -> type[Query]:  # type: ignore[override]
        return PageQuery if getattr(self, "action", "") == "list" else Query

    def list(self, request: Request) -> Response:
        """A page of the installation's keys, the newest first."""
        query = self.query()
        only = chosen_fields(query.get("fields"), InstallationKeySerializer)
        rows: models.QuerySet[InstallationKey] = InstallationKey.objects.defer("assertion_secret")
        page = keyset_page(rows, at="created_at", size=query["limit"], **pages.edges(query.get("cursor", "")))
        return Response(pages.page_body(page, list(InstallationKeySerializer(page.items, many=True, only=only).data)))

    @extend_schema(responses={201: NewInstallationKeySerializer})
    def create(self, request: Request) -> Response:
        """Make a key to the installation, which is a key to every domain. The answer holds it, this once."""
        values = self.body(InstallationKeySerializer(data=request.data))
        check_values(self.principal, values)
        issued = keys.issue_installation_key(created_by=self.principal.name, **values)
        return new_key(InstallationKeySerializer, issued)


class OneInstallationKey(_InstallationKeys):
    operation = "installation-key"

    @property
    def query_class(self) -> type[Query]:  # type: ignore[override]
        return OneQuery if getattr(self, "action", "") == "retrieve" else Query

    def retrieve(self, request: Request, **_: Any) -> Response:
        """One of them."""
        only = chosen_fields(self.query().get("fields"), InstallationKeySerializer)
        row = self.row()
        headers = {"ETag": conditions.etag_of(row), "Cache-Control": "private, no-cache"}
        if conditions.not_modified(request, row):
            return Response(status=304, headers=headers)
        return Response(InstallationKeySerializer(row, only=only).data, headers=headers)

    def partial_update(self, request: Request, **_: Any) -> Response:
        """Change some fields of one. `If-Match` is required: the ETag that was read, or `*`."""
        row = self.row()
        values = self.body(InstallationKeySerializer(row, data=request.data, partial=True))
        conditions.check_match(request, row, required=True)
        check_values(self.principal, values, row)
        changed = change(row, values)
        return Response(InstallationKeySerializer(changed).data, headers={"ETag": conditions.etag_of(changed)})

    def destroy(self, request: Request, **_: Any) -> Response:
        """Revoke it, at once. `If-Match` is required: the ETag that was read, or `*`."""
        row = self.row()
        conditions.check_match(request, row, required=True)
        keys.revoke(row)
        return Response(status=204)


class InstallationKeyRotation(_InstallationKeys):
    operation = "installation-key"

    @extend_schema(request=Rotation, responses={201: NewInstallationKeySerializer})
    def rotate(self, request: Request, **_: Any) -> Response:
        """Make the key's successor. The old one goes on for `overlap_s`, so that nothing stands still meanwhile."""
        wanted = self.body(Rotation(data=request.data))
        return new_key(InstallationKeySerializer, rotated(self.principal, self.row(), wanted["overlap_s"]))
