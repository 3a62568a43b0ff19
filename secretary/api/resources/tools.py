"""Tools of a tenant's own: what its server does for its secretaries. Secret and headers go in, and never come out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from secretary.api.resource import Created, Deleted, Listed, Patched, Replaced, Resource, Shown, seen
from secretary.api.resources.webhooks import SecretRotation
from secretary.api.serializing import PageQuery, Query, ResourceSerializer, StrictSerializer
from secretary.api.tool_fields import Headers, Parameters
from secretary.tools import services, trying
from secretary.tools.models import HttpTool


class ToolSerializer(ResourceSerializer):
    secret = serializers.SerializerMethodField(help_text="What signs the requests. Shown where it is made, this once.")
    parameters = Parameters(required=False, help_text="JSON Schema of an object: what the model gives.")
    headers = Headers(
        child=serializers.CharField(max_length=1_000),
        required=False,
        write_only=True,
        help_text="Sent with each request, such as your server's own key. Left out: they stay as they are.",
    )
    has_headers = serializers.SerializerMethodField()

    class Meta:
        model = HttpTool
        fields = (
            "tool_uuid", "name", "description", "parameters", "enabled", "method", "url", "shares_caller", "secret",
            "previous_expires_at", "headers", "has_headers", "timeout_s", "max_bytes", "result_path", "result_text",
            "per_call", "per_minute", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = ("previous_expires_at",)

    def get_secret(self, tool: HttpTool) -> str | None:
        return getattr(tool, "issued_secret", None)

    def get_has_headers(self, tool: HttpTool) -> bool:
        return bool(tool.extra_headers)


class ToolQuery(PageQuery):
    enabled = serializers.BooleanField(required=False)
    name = serializers.CharField(required=False, max_length=48, help_text="Exactly this name.")


class Trial(StrictSerializer):
    """Arguments as a model would give them."""

    arguments = Parameters(required=False, default=dict)


class Tried(serializers.Serializer[Any]):
    outcome = serializers.CharField(help_text="`ok`, or one word for what went wrong.")
    detail = serializers.CharField(help_text="What a model would be told.")
    duration_ms = serializers.IntegerField()


def with_secret(issued: services.Issued) -> HttpTool:
    issued.tool.issued_secret = issued.secret  # type: ignore[attr-defined]
    return issued.tool


class Tools(Listed, Shown, Created, Replaced, Patched, Deleted):
    path = "tools"
    scope = "tools"
    lookup = "tool_uuid"
    model = HttpTool
    serializer_class = ToolSerializer
    page_query = ToolQuery
    shown_once = ("secret",)

    def rows(self) -> models.QuerySet[HttpTool]:
        return without_secrets()

    def perform_create(self, values: dict[str, Any]) -> HttpTool:
        return with_secret(services.create_tool(**values))

    def perform_update(self, row: HttpTool, values: dict[str, Any]) -> HttpTool:
        return services.update_tool(tool_uuid=row.pk, seen_at=seen(row), **values)

    def perform_destroy(self, row: HttpTool) -> None:
        services.delete_tool(tool_uuid=row.pk)

    @classmethod
    def urls(cls) -> list[URLPattern]:
        one = f"domains/<uuid:domain_uuid>/{cls.path}/<uuid:{cls.lookup}>"
        return [
            *super().urls(),
            path(f"{one}/rotate", ToolSecret.as_view({"post": "rotate"}), name="tool-rotate"),
            path(f"{one}/try", ToolTrial.as_view({"post": "attempt"}), name="tool-try"),
        ]


def without_secrets() -> models.QuerySet[HttpTool]:
    """Nothing here needs what signs, so nothing decrypts it."""
    return HttpTool.objects.defer("secret", "previous_secret")


class _OfTool(Resource):
    """Something of one tool."""

    path = "tools"
    scope = "tools"
    lookup = "tool_uuid"
    model = HttpTool
    serializer_class = ToolSerializer
    query_class = Query

    def rows(self) -> models.QuerySet[HttpTool]:
        return without_secrets()


class ToolSecret(_OfTool):
    operation = "tool-secret"
    shown_once = ("secret",)

    @extend_schema(request=SecretRotation, responses={201: ToolSerializer})
    def rotate(self, request: Request, **_: Any) -> Response:
        """Give it a new secret; the old one signs beside it for `overlap_s`."""
        wanted = self.body(SecretRotation(data=request.data))
        issued = services.rotate_secret(tool_uuid=self.row().pk, overlap=timedelta(seconds=wanted["overlap_s"]))
        return self.shown(with_secret(issued), status=201)


class ToolTrial(_OfTool):
    operation = "tool"

    @extend_schema(request=Trial, responses={200: Tried})
    def attempt(self, request: Request, **_: Any) -> Response:
        """Run it once with these arguments, as if a model had called it, and show what the model would be told."""
        wanted = self.body(Trial(data=request.data))
        tool = HttpTool.objects.get(pk=self.row().pk)
        tried = trying.attempt(tool, wanted["arguments"])
        return Response({"outcome": tried.outcome, "detail": tried.detail, "duration_ms": tried.duration_ms})
