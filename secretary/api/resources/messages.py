"""Messages that callers left."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.http import HttpResponseBase
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from secretary.api.recordings import play_part
from secretary.api.resource import Listed, Patched, Resource, Shown
from secretary.api.resources.calls import RANGE, SOUND
from secretary.api.serializing import PageQuery, Query, ResourceSerializer
from secretary.models import Message
from secretary.services.inbox import mark_message


class MessageSerializer(ResourceSerializer):
    secretary_uuid = serializers.UUIDField(source="secretary_id", read_only=True, allow_null=True)
    call_uuid = serializers.UUIDField(source="call_id", read_only=True, allow_null=True)
    has_audio = serializers.SerializerMethodField()
    read = serializers.BooleanField(source="is_read", help_text="The one field that can be written.")

    class Meta:
        model = Message
        fields = (
            "message_uuid", "secretary_uuid", "call_uuid", "caller_number", "caller_name",
            "given_name", "given_number", "reason", "urgency", "text", "has_audio",
            "complete", "read", "read_at", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = (
            "caller_number", "caller_name", "given_name", "given_number", "reason", "urgency", "text", "complete",
            "read_at",
        )  # fmt: skip

    def get_has_audio(self, message: Message) -> bool:
        return bool(message.audio)


class MessageQuery(PageQuery):
    read = serializers.BooleanField(required=False)
    secretary_uuid = serializers.UUIDField(required=False)
    call_uuid = serializers.UUIDField(required=False)
    created_from = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False)


FILTERS = {
    "secretary_uuid": "secretary_id",
    "call_uuid": "call_id",
    "created_from": "created_at__gte",
    "created_before": "created_at__lt",
}


class Messages(Listed, Shown, Patched):
    path = "messages"
    scope = "messages"
    lookup = "message_uuid"
    model = Message
    serializer_class = MessageSerializer
    page_query = MessageQuery

    def filtered(self, rows: models.QuerySet[Any], query: dict[str, Any]) -> models.QuerySet[Any]:
        if "read" in query:
            rows = rows.filter(read_at__isnull=not query["read"])
        return rows.filter(**{FILTERS[name]: value for name, value in query.items() if name in FILTERS})

    def perform_update(self, row: Message, values: dict[str, Any]) -> Message:
        if "is_read" in values:
            mark_message(message_uuid=row.pk, read=values["is_read"])
        return Message.objects.get(pk=row.pk)

    @classmethod
    def urls(cls) -> list[URLPattern]:
        audio = f"domains/<uuid:domain_uuid>/{cls.path}/<uuid:{cls.lookup}>/audio"
        return [*super().urls(), path(audio, MessageAudio.as_view({"get": "sound"}), name="message-audio")]


class MessageAudio(Resource):
    path = "messages"
    operation = "message-audio"
    scope = "messages"
    lookup = "message_uuid"
    model = Message
    serializer_class = MessageSerializer
    query_class = Query
    known_statuses: ClassVar = frozenset({416})

    @extend_schema(parameters=[RANGE], responses={(200, "audio/wav"): SOUND, (206, "audio/wav"): SOUND})
    def sound(self, request: Request, **_: Any) -> HttpResponseBase:
        """The message's sound, or the part of it that `Range` asks for."""
        self.query()
        return play_part(request, self.row().audio)
