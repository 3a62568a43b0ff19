"""The OpenAPI document, and a page to read it: made on the server, without a script and without anybody else's."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from secretary.api.parsing import JsonRenderer, OnlyJson
from secretary.api.problem_words import TITLES

METHODS = ("get", "post", "put", "patch", "delete")


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document, in English: programs read it."""
    with translation.override("en"):
        generator: Any = SchemaGenerator()  # type: ignore[no-untyped-call]
        found: dict[str, Any] = generator.get_schema(request=None, public=True)
    return found


class Document(APIView):
    """`openapi.json`, for everybody: it holds nothing that is not in the documentation."""

    authentication_classes = ()
    permission_classes = ()
    renderer_classes = (JsonRenderer,)
    content_negotiation_class = OnlyJson
    schema = None

    def get(self, request: Request) -> Response:
        return Response(document(), headers={"Cache-Control": "public, max-age=300"})


@require_safe
def documentation(request: HttpRequest) -> HttpResponse:
    """The same for people."""
    found = document()
    operations = [
        {"path": path, "method": method.upper(), **item[method]}
        for path, item in found["paths"].items()
        for method in METHODS
        if method in item
    ]
    tags = sorted({operation["tags"][0] for operation in operations})
    about = {
        "document": found,
        "groups": [(tag, [one for one in operations if one["tags"][0] == tag]) for tag in tags],
        "schemas": [(name, _fields(schema)) for name, schema in sorted(found["components"]["schemas"].items())],
        "problems": [(code, status, title, mend) for code, (status, title, mend) in TITLES.items()],
    }
    return render(request, "api/documentation.html", about)


def _fields(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """A component's fields, each with its type in a few words."""
    if "enum" in schema:
        return [{"name": "", "type": " | ".join(map(str, schema["enum"])), "about": schema.get("description", "")}]
    required = schema.get("required", ())
    return [
        {
            "name": name,
            "type": describe(field),
            "about": field.get("description", ""),
            "required": name in required,
            "read_only": field.get("readOnly", False),
        }
        for name, field in schema.get("properties", {}).items()
    ]


def describe(schema: dict[str, Any]) -> str:
    """A schema's type in a few words: `string (uuid)`, `list of Destination`, `string, at most 120`."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    for word in ("oneOf", "anyOf", "allOf"):
        if word in schema:
            return " | ".join(describe(one) for one in schema[word])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {describe(schema.get('items', {}))}"
    text = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if "format" in schema:
        text += f" ({schema['format']})"
    for name, words in (("minimum", "from"), ("maximum", "to"), ("maxLength", "at most"), ("pattern", "like")):
        if name in schema:
            text += f", {words} {schema[name]}"
    return text
