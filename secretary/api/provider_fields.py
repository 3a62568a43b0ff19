"""Fields of speech services, for the API and for provisioning."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from secretary.api.serializing import JsonObject, StrictSerializer


@extend_schema_field({"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}})
class Options(JsonObject):
    """An object of texts, numbers, and yes and no."""

    members = (str, int, float, bool)


class ChainEntry(StrictSerializer):
    """One speech service of a secretary."""

    provider = serializers.CharField(max_length=40)
    credential_uuid = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="Null: the domain's own, else the installation's."
    )
    model = serializers.CharField(required=False, allow_blank=True, default="", max_length=120)
    voice = serializers.CharField(required=False, allow_blank=True, default="", max_length=120)


def chain() -> serializers.BaseSerializer[Any]:
    """A secretary's speech services, the first choice first."""
    return ChainEntry(
        many=True,
        required=False,
        help_text="Speech services, the first choice first. The local secretary is always the last. Empty: `provider`"
        " alone.",
    )
