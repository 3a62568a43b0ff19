"""What secretaries remember of callers: to read and to erase."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from secretary.api.resource import Deleted, Listed, Resource, Shown
from secretary.api.serializing import PageQuery, Query, ResourceSerializer, StrictSerializer
from secretary.selectors import caller_data
from secretary.tools import facts
from secretary.tools.models import CallerFact


class CallerFactSerializer(ResourceSerializer):
    class Meta:
        model = CallerFact
        fields = ("fact_uuid", "number", "text", "call_uuid", "created_at", "updated_at")
        read_only_fields = fields


class CallerFactQuery(PageQuery):
    number = serializers.CharField(required=False, max_length=64, help_text="In any way of writing it.")


class Forget(StrictSerializer):
    """Whose facts."""

    number = serializers.CharField(max_length=64, help_text="In any way of writing it.")


class Forgotten(serializers.Serializer[Any]):
    facts = serializers.IntegerField(help_text="How many were erased.")


class CallerFacts(Listed, Shown, Deleted):
    path = "caller-facts"
    scope = "caller-facts"
    lookup = "fact_uuid"
    model = CallerFact
    serializer_class = CallerFactSerializer
    page_query = CallerFactQuery

    def filtered(self, rows: models.QuerySet[Any], query: dict[str, Any]) -> models.QuerySet[Any]:
        return caller_data.facts_of(query["number"]) if query.get("number") else rows

    def perform_destroy(self, row: CallerFact) -> None:
        facts.forget(fact_uuid=row.pk)

    @classmethod
    def urls(cls) -> list[URLPattern]:
        every = f"domains/<uuid:domain_uuid>/{cls.path}/forget"
        return [path(every, ForgetCaller.as_view({"post": "forget"}), name="caller-facts-forget"), *super().urls()]


class ForgetCaller(Resource):
    path = "caller-facts"
    operation = "caller-facts"
    scope = "caller-facts"
    lookup = "fact_uuid"
    model = CallerFact
    serializer_class = CallerFactSerializer
    query_class = Query

    @extend_schema(request=Forget, responses={200: Forgotten})
    def forget(self, request: Request, **_: Any) -> Response:
        """Erase all that is remembered of one caller. Calls and messages: see `caller-requests`."""
        wanted = self.body(Forget(data=request.data))
        return Response({"facts": facts.forget_caller(number=wanted["number"])})
