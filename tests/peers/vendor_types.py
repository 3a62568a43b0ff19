"""Whether a message is what a vendor's own types say, strictly: right types, nothing missing, nothing unknown.

The SDKs themselves are lenient (they pass unknown fields on and do not validate answers); here pydantic validates, and
what it did not know must not be there.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    # Through a list, because a TypedDict takes no configuration from outside; some have open files among their fields.
    return TypeAdapter(list[kind], config=ConfigDict(arbitrary_types_allowed=True))


def get_ready(*kinds: Any) -> None:
    """Build what the first check would take a quarter of a second for: a stand-in must not answer late for it."""
    for kind in kinds:
        _adapter(kind)


def wrong_params(kind: Any, value: Any) -> str:
    """What is wrong with a request's body by the vendor's TypedDict; empty for nothing."""
    adapter = _adapter(kind)
    try:
        (known,) = json.loads(adapter.dump_json(adapter.validate_python([value]), warnings=False))
    except ValidationError as error:
        return f"{getattr(kind, '__name__', kind)}: {error}"
    if known != value:
        return f"{getattr(kind, '__name__', kind)}: unknown fields: {_differences(value, known)}"
    return ""


def wrong_model(kind: type[BaseModel] | Any, value: Any) -> str:
    """What is wrong with an answer's part by the vendor's model; empty for nothing."""
    try:
        (model,) = _adapter(kind).validate_json(json.dumps([value]), strict=True)
    except ValidationError as error:
        return f"{getattr(kind, '__name__', kind)}: {error}"
    extra = _extra(model)
    return f"{getattr(kind, '__name__', kind)}: unknown fields: {extra}" if extra else ""


def _extra(value: Any) -> list[str]:
    if isinstance(value, BaseModel):
        inner = [name for field in type(value).model_fields for name in _extra(getattr(value, field))]
        return [*(value.model_extra or {}), *inner]
    if isinstance(value, list):
        return [name for item in value for name in _extra(item)]
    return []


def _differences(value: Any, known: Any, where: str = "") -> list[str]:
    if isinstance(value, dict) and isinstance(known, dict):
        return [
            difference
            for name in value
            for difference in (
                _differences(value[name], known[name], f"{where}.{name}") if name in known else [f"{where}.{name}"]
            )
        ]
    if isinstance(value, list) and isinstance(known, list) and len(value) == len(known):
        return [
            d for n, (a, b) in enumerate(zip(value, known, strict=True)) for d in _differences(a, b, f"{where}[{n}]")
        ]
    return [] if value == known else [f"{where}: {value!r} became {known!r}"]
