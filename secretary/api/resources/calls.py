"""Calls, with what was said, what happened, and the recording. They are read, never written."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.http import HttpResponseBase
from django.urls import URLPattern, path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from secretary.api.recordings import play_part
from secretary.api.resource import Listed, Resource, Shown
from secretary.api.serializing import PageQuery, Query, ResourceSerializer
from secretary.models import Call, CallEvent, UsageRecord, Utterance
from secretary.models.call import CallOutcome
from secretary.selectors.one_call import MOST_LINES, usage_of


class CallSerializer(ResourceSerializer):
    secretary_uuid = serializers.UUIDField(source="secretary_id", read_only=True, allow_null=True)
    destination_uuid = serializers.UUIDField(source="destination_id", read_only=True, allow_null=True)
    duration_s = serializers.FloatField(read_only=True, allow_null=True)
    has_recording = serializers.SerializerMethodField()

    class Meta:
        model = Call
        fields = (
            "call_uuid", "secretary_uuid", "extension", "caller_number", "caller_name", "transport", "node",
            "started_at", "answered_at", "ended_at", "duration_s", "outcome", "outcome_detail", "destination_uuid",
            "provider", "model", "has_recording", "recording_state", "latency", "summary", "facts", "disclosure",
            "prompt_version", "updated_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_has_recording(self, call: Call) -> bool:
        return bool(call.recording)


class CallQuery(PageQuery):
    outcome = serializers.ChoiceField(required=False, choices=CallOutcome.choices)
    secretary_uuid = serializers.UUIDField(required=False)
    caller_number = serializers.CharField(required=False, max_length=64, help_text="Exactly this number.")
    started_from = serializers.DateTimeField(required=False, help_text="Begun at this time or later.")
    started_before = serializers.DateTimeField(required=False, help_text="Begun before this time.")


FILTERS = {
    "outcome": "outcome",
    "secretary_uuid": "secretary_id",
    "caller_number": "caller_number",
    "started_from": "started_at__gte",
    "started_before": "started_at__lt",
}


class Calls(Listed, Shown):
    path = "calls"
    scope = "calls"
    lookup = "call_uuid"
    model = Call
    serializer_class = CallSerializer
    page_query = CallQuery
    order = "started_at"

    def filtered(self, rows: models.QuerySet[Any], query: dict[str, Any]) -> models.QuerySet[Any]:
        return rows.filter(**{FILTERS[name]: value for name, value in query.items() if name in FILTERS})

    @classmethod
    def urls(cls) -> list[URLPattern]:
        one = f"domains/<uuid:domain_uuid>/{cls.path}/<uuid:{cls.lookup}>"
        return [
            *super().urls(),
            path(f"{one}/transcript", CallTranscript.as_view({"get": "lines"}), name="call-transcript"),
            path(f"{one}/timeline", CallTimeline.as_view({"get": "points"}), name="call-timeline"),
            path(f"{one}/usage", CallUsage.as_view({"get": "used"}), name="call-usage"),
            path(f"{one}/recording", CallRecording.as_view({"get": "sound"}), name="call-recording"),
        ]


class UtteranceSerializer(serializers.ModelSerializer[Utterance]):
    class Meta:
        model = Utterance
        fields = ("position", "who", "text", "start_ms", "end_ms", "interrupted")
        read_only_fields = fields


class TranscriptSerializer(serializers.Serializer[Any]):
    items = UtteranceSerializer(many=True)


class EventSerializer(serializers.ModelSerializer[CallEvent]):
    class Meta:
        model = CallEvent
        fields = ("at_ms", "kind", "detail")
        read_only_fields = fields


class TimelineSerializer(serializers.Serializer[Any]):
    items = EventSerializer(many=True)


class CallUsageItem(serializers.ModelSerializer[UsageRecord]):
    class Meta:
        model = UsageRecord
        fields = ("provider", "model", "unit", "quantity", "unit_price", "amount", "currency")
        read_only_fields = fields


class CallUsageSerializer(serializers.Serializer[Any]):
    items = CallUsageItem(many=True)


class _OfCall(Resource):
    """Something of one call."""

    path = "calls"
    scope = "calls"
    lookup = "call_uuid"
    model = Call
    serializer_class = CallSerializer
    query_class = Query


class CallTranscript(_OfCall):
    operation = "call-transcript"

    @extend_schema(responses=TranscriptSerializer)
    def lines(self, request: Request, **_: Any) -> Response:
        """What was said, in order, cut where the other side stopped hearing it. Times in ms since the call's start."""
        self.query()
        found = Utterance.objects.filter(call=self.row()).order_by("position")[:MOST_LINES]
        return Response({"items": UtteranceSerializer(found, many=True).data})


class CallTimeline(_OfCall):
    operation = "call-timeline"

    @extend_schema(responses=TimelineSerializer)
    def points(self, request: Request, **_: Any) -> Response:
        """What happened, in order, in ms since the call's start."""
        self.query()
        found = CallEvent.objects.filter(call=self.row()).order_by("at_ms", "created_at")[:MOST_LINES]
        return Response({"items": EventSerializer(found, many=True).data})


class CallUsage(_OfCall):
    operation = "call-usage"

    @extend_schema(responses=CallUsageSerializer)
    def used(self, request: Request, **_: Any) -> Response:
        """What a call that is over used, by speech service, model and unit, and what that cost."""
        self.query()
        found = CallUsageItem(usage_of(call_uuid=self.row().pk), many=True).data
        return Response({"items": found})


SOUND = OpenApiResponse(OpenApiTypes.BINARY, "The sound.")
RANGE = OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="Such as `bytes=0-65535`.")


class CallRecording(_OfCall):
    operation = "call-recording"
    scope = "recordings"
    known_statuses: ClassVar = frozenset({416})

    @extend_schema(parameters=[RANGE], responses={(200, "audio/wav"): SOUND, (206, "audio/wav"): SOUND})
    def sound(self, request: Request, **_: Any) -> HttpResponseBase:
        """The recording, or the part of it that `Range` asks for."""
        self.query()
        return play_part(request, self.row().recording)
