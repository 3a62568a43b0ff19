"""JSON in and out, with bounds on what comes in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any, Final

import orjson
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from secretary.api.problems import Problem

MAX_BODY: Final = 1024 * 1024
"""Bytes of an ordinary request's body. A view may say otherwise: `max_body`."""
MAX_DEPTH: Final = 20


class JsonParser(BaseParser):
    """UTF-8 JSON, an object at the top. orjson refuses NaN, lone surrogates and a thousand brackets by itself."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        view = (parser_context or {}).get("view")
        most = getattr(view, "max_body", MAX_BODY)
        body = stream.read(most + 1)
        if len(body) > most:
            raise Problem("too_large", _("At most %(most)d bytes.") % {"most": most})
        try:
            data = orjson.loads(body)
        except (orjson.JSONDecodeError, RecursionError) as error:
            raise Problem("malformed", str(error)[:200]) from error
        if not isinstance(data, dict):
            raise Problem("malformed", _("A JSON object is wanted."))
        if _too_deep(data):
            raise Problem("malformed", _("The JSON is nested too deeply."))
        return data


class JsonRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return b"" if data is None else orjson.dumps(data, default=str)


class OnlyJson(BaseContentNegotiation):
    """The API speaks JSON, whatever `Accept` says: a client that asked for something else can still read an error."""

    def select_parser(self, request: HttpRequest, parsers: Any) -> Any:
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(self, request: HttpRequest, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


def _too_deep(data: Any) -> bool:
    level = [data]
    for _depth in range(MAX_DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True
