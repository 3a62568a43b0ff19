"""What a tenant's server answered, as a model is told of it: a bounded text, marked as data."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from secretary.services import clean

MOST: Final = 2_000
"""Characters of an answer that a model is given."""
ODD: Final = 0.05
"""Share of characters that no text has, from which on an answer is taken for garbage."""
_PLACE = re.compile(r"\{([^\s{}]{1,100})\}")
_MISSING: Final = object()
OPEN: Final = "<<<data"
SHUT: Final = "data>>>"


class Garbage(ValueError):
    """The answer is no text."""


def words(body: bytes, *, content_type: str = "", path: str = "", text: str = "", most: int = MOST) -> str:
    """The answer in words: the part at `path`, put into `text`. Raises Garbage."""
    try:
        value: Any = orjson.loads(body) if body.strip() else ""
    except (orjson.JSONDecodeError, RecursionError):
        if "json" in content_type or path or "{" in text:
            raise Garbage("the answer is no JSON") from None
        value = _decoded(body)
        if "html" in content_type or value.lstrip()[:15].lower().startswith(("<!doctype", "<html")):
            raise Garbage("the answer is a web page") from None
    if path:
        value = at(value, path)
        if value is _MISSING:
            return "nothing"
    if text:
        return clean.text(_PLACE.sub(lambda place: _member(value, place[1]), text), most).strip() or "nothing"
    return clean.text(_shown(value), most).strip() or "nothing"


def marked(text: str) -> str:
    """Between marks that the text itself cannot have: data, whatever it says."""
    inside = text.replace("<<<", "<").replace(">>>", ">")
    return f"{OPEN}\n{inside}\n{SHUT}"


def at(value: Any, path: str) -> Any:
    """The member at `order.lines.0`."""
    for step in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(step, _MISSING)
        elif isinstance(value, list) and step.isascii() and step.isdigit() and len(step) < 6:
            value = value[int(step)] if int(step) < len(value) else _MISSING
        else:
            return _MISSING
    return value


def _member(value: Any, path: str) -> str:
    found = at(value, path)
    return "unknown" if found is _MISSING or found is None else _shown(found)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(clean.json_value(value), ensure_ascii=False, separators=(", ", ": "))


def _decoded(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    odd = sum(1 for letter in text if letter == "\ufffd" or (not letter.isprintable() and letter not in "\t\r\n"))
    if odd > ODD * len(text):
        raise Garbage("the answer is no text")
    return text
