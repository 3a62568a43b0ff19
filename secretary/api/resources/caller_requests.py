"""Requests about one caller: give out all that is kept of them, or erase it. A worker does it; the row says how far."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, HttpResponseBase
from django.urls import URLPattern, path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from secretary.api.problems import Problem
from secretary.api.resource import Created, Listed, Resource, Shown
from secretary.api.serializing import PageQuery, Query, ResourceSerializer
from secretary.models import CallerRequest, CallerRequestKind, CallerRequestState
from secretary.services import caller_requests, files
from tenants import audit


@extend_schema_field({"type": "object", "additionalProperties": True})
class Counts(serializers.JSONField):
    """How many of each kind of thing."""


class CallerRequestSerializer(ResourceSerializer):
    kind = serializers.ChoiceField(choices=CallerRequestKind.choices)
    number = serializers.CharField(max_length=64, help_text="In any way of writing it. Forgotten once it is done.")
    found = Counts(read_only=True)
    has_file = serializers.SerializerMethodField(help_text="Whether there is an export to be downloaded.")

    class Meta:
        model = CallerRequest
        fields = (
            "request_uuid", "kind", "state", "number", "asked_by", "found", "has_file", "finished_at", "expires_at",
            "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = ("state", "asked_by", "finished_at", "expires_at")

    def get_has_file(self, request: CallerRequest) -> bool:
        return bool(request.path)


class CallerRequestQuery(PageQuery):
    kind = serializers.ChoiceField(required=False, choices=CallerRequestKind.choices)
    state = serializers.ChoiceField(required=False, choices=CallerRequestState.choices)


class CallerRequests(Listed, Shown, Created):
    path = "caller-requests"
    scope = "caller-requests"
    lookup = "request_uuid"
    model = CallerRequest
    serializer_class = CallerRequestSerializer
    page_query = CallerRequestQuery

    def perform_create(self, values: dict[str, Any]) -> CallerRequest:
        return caller_requests.ask(kind=values["kind"], number=values["number"])

    @classmethod
    def urls(cls) -> list[URLPattern]:
        file = f"domains/<uuid:domain_uuid>/{cls.path}/<uuid:{cls.lookup}>/file"
        return [*super().urls(), path(file, CallerExport.as_view({"get": "download"}), name="caller-export")]


class CallerExport(Resource):
    path = "caller-requests"
    operation = "caller-export"
    scope = "caller-requests"
    lookup = "request_uuid"
    model = CallerRequest
    serializer_class = CallerRequestSerializer
    query_class = Query

    @extend_schema(responses={(200, "application/zip"): OpenApiResponse(OpenApiTypes.BINARY, "The ZIP.")})
    def download(self, request: Request, **_: Any) -> HttpResponseBase:
        """The export, as long as it is kept; every download is on record."""
        self.query()
        row = self.row()
        found = files.below(row.path) if row.state == CallerRequestState.DONE else None
        if found is None or not found.is_file():
            raise Problem("not_found")
        audit.log("caller.downloaded", audit.Subject("callerrequest", str(row.pk), str(row.get_kind_display())))
        response = FileResponse(found.open("rb"), as_attachment=True, filename=f"caller-{row.pk}.zip")
        response.headers["Content-Type"] = "application/zip"
        response.headers["Cache-Control"] = "private, no-store"
        return response
