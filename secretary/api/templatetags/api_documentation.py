"""For the page that documents the API."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()


@register.filter
def ref(schema: dict[str, Any]) -> str:
    """The name of the component that a schema is; empty where it is none."""
    found = schema.get("$ref", "") if isinstance(schema, dict) else ""
    return str(found).rpartition("/")[2]
