"""Fields of a tool that no model field says by itself."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from secretary.api.serializing import JsonObject


@extend_schema_field({"type": "object", "additionalProperties": True})
class Parameters(JsonObject):
    """JSON Schema of an object."""


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}, "writeOnly": True})
class Headers(serializers.DictField):
    """Names and values."""
