"""Prompts: the versions of what a secretary knows about the business. The newest one of each secretary is live."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from secretary.api.problems import invalid
from secretary.api.resource import Created, Listed, Patched, Resource, Shown
from secretary.api.serializing import PageQuery, Query, ResourceSerializer, StrictSerializer
from secretary.models import Secretary
from secretary.models.secretary import MAX_PROMPT
from secretary.tools import prompts
from secretary.tools.models import PromptVersion


class PromptSerializer(ResourceSerializer):
    secretary_uuid = serializers.UUIDField(source="secretary_id", help_text="Fixed, once it is made.")
    text = serializers.CharField(
        max_length=MAX_PROMPT, allow_blank=True, trim_whitespace=False, help_text="Fixed, once it is made."
    )

    class Meta:
        model = PromptVersion
        fields = ("version_uuid", "secretary_uuid", "number", "name", "text", "author", "created_at", "updated_at")
        read_only_fields = ("number", "author")


class PromptQuery(PageQuery):
    secretary_uuid = serializers.UUIDField(required=False)


class Prompts(Listed, Shown, Created, Patched):
    path = "prompts"
    scope = "secretaries"
    lookup = "version_uuid"
    model = PromptVersion
    serializer_class = PromptSerializer
    page_query = PromptQuery

    def filtered(self, rows: Any, query: dict[str, Any]) -> Any:
        return rows.filter(secretary_id=query["secretary_uuid"]) if "secretary_uuid" in query else rows

    def perform_create(self, values: dict[str, Any]) -> PromptVersion:
        """It is live at once."""
        try:
            return prompts.write_prompt(
                secretary_uuid=values["secretary_id"], text=values["text"], name=values.get("name", "")
            )
        except Secretary.DoesNotExist as error:
            raise invalid("secretary_uuid", "does_not_exist", _("The domain has no such secretary.")) from error

    def perform_update(self, row: PromptVersion, values: dict[str, Any]) -> PromptVersion:
        for name, field in (("secretary_uuid", "secretary_id"), ("text", "text")):
            if field in values and values[field] != getattr(row, field):
                raise invalid(name, "immutable", _("A version stays as it is. Make another one."))
        return prompts.name_version(version_uuid=row.pk, name=values.get("name", row.name))

    @classmethod
    def urls(cls) -> list[URLPattern]:
        one = f"domains/<uuid:domain_uuid>/{cls.path}/<uuid:{cls.lookup}>"
        return [
            *super().urls(),
            path(f"{one}/restore", PromptRestore.as_view({"post": "restore"}), name="prompt-restore"),
        ]


class PromptRestore(Resource):
    path = "prompts"
    operation = "prompt"
    scope = "secretaries"
    lookup = "version_uuid"
    model = PromptVersion
    serializer_class = PromptSerializer
    query_class = Query

    @extend_schema(request=StrictSerializer, responses={201: PromptSerializer})
    def restore(self, request: Request, **_: Any) -> Response:
        """Make its text live again, as the newest version."""
        self.body(StrictSerializer(data=request.data))
        return self.shown(prompts.restore(version_uuid=self.row().pk), status=201)
