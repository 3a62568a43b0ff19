"""Secretaries: who answers, and what is said and known."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from secretary.api.provider_fields import chain
from secretary.api.resource import Created, Deleted, Listed, Patched, Replaced, Shown, seen
from secretary.api.serializing import PageQuery, ResourceSerializer
from secretary.models import Secretary
from secretary.services.secretaries import create_secretary, delete_secretary, update_secretary


class SecretarySerializer(ResourceSerializer):
    hours_uuid = serializers.UUIDField(
        source="hours_id", required=False, allow_null=True, help_text="Null: the domain's usual ones."
    )
    closed_secretary_uuid = serializers.UUIDField(source="closed_secretary_id", required=False, allow_null=True)

    chain = chain()

    class Meta:
        model = Secretary
        fields = (
            "secretary_uuid", "name", "enabled", "language", "voice", "greeting", "prompt", "provider", "chain",
            "record_calls", "recorder", "message_emails", "mail_audio",
            "max_call_s", "silence_s", "silence_prompts", "silence_ending", "fallback_number",
            "turn_mode", "pause_ms", "barge_in", "protect_ms", "menu", "max_turns", "max_cost",
            "hours_uuid", "closed_action", "closed_greeting", "closed_secretary_uuid", "closed_number",
            "tools", "announce_ai", "ai_notice", "recording_notice", "summarise",
            "callback_other_numbers", "allow_list", "allow_list_only", "created_at", "updated_at",
        )  # fmt: skip


class SecretaryQuery(PageQuery):
    enabled = serializers.BooleanField(required=False)
    name = serializers.CharField(required=False, max_length=120, help_text="Exactly this name.")


class Secretaries(Listed, Shown, Created, Replaced, Patched, Deleted):
    path = "secretaries"
    scope = "secretaries"
    lookup = "secretary_uuid"
    model = Secretary
    serializer_class = SecretarySerializer
    page_query = SecretaryQuery

    def perform_create(self, values: dict[str, Any]) -> Secretary:
        return create_secretary(**values)

    def perform_update(self, row: Secretary, values: dict[str, Any]) -> Secretary:
        return update_secretary(secretary_uuid=row.pk, seen_at=seen(row), **values)

    def perform_destroy(self, row: Secretary) -> None:
        delete_secretary(secretary_uuid=row.pk)
