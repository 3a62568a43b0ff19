"""Whether a message is what a vendor's own types say, strictly: right types, nothing missing, nothing unknown.

The SDKs themselves are lenient: they send whatever they are given and pass unknown fields of answers on. Here pydantic
validates against the same types, made strict: no conversions, no further fields, and lists where the types say
"iterable" (which pydantic would look into only when somebody iterates).
"""

from __future__ import annotations

import collections.abc
import json
import types
import typing
from functools import cache
from typing import Annotated, Any, Final

import typing_extensions
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

_CONFIG = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


def get_ready(*kinds: Any) -> None:
    """Build what the first check would take a quarter of a second for: a stand-in must not answer late for it."""
    for kind in kinds:
        _adapter(kind)


def wrong_params(kind: Any, value: Any) -> str:
    """What is wrong with a request's body by the vendor's TypedDict; empty for nothing."""
    try:
        _adapter(kind).validate_python([value], strict=True)
    except ValidationError as error:
        return f"{getattr(kind, '__name__', kind)}: {error}"
    return ""


def wrong_model(kind: type[BaseModel] | Any, value: Any) -> str:
    """What is wrong with an answer's part by the vendor's model; empty for nothing."""
    try:
        (model,) = _adapter(kind).validate_json(json.dumps([value]), strict=True)
    except ValidationError as error:
        return f"{getattr(kind, '__name__', kind)}: {error}"
    extra = _extra(model)
    return f"{getattr(kind, '__name__', kind)}: unknown fields: {extra}" if extra else ""


MARKS: Final[tuple[Any, ...]] = (typing_extensions.Required, typing_extensions.NotRequired)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    # Through a list, because a TypedDict takes no configuration from outside; some have open files among their fields.
    many: Any = list
    return TypeAdapter(many[_strict(kind)], config=ConfigDict(arbitrary_types_allowed=True))


@cache
def _strict(kind: Any) -> Any:
    """The type with every TypedDict in it closed to unknown fields and every Iterable a list."""
    if typing_extensions.is_typeddict(kind):
        hints = typing_extensions.get_type_hints(kind, include_extras=True)
        fields = {}
        mark: Any
        for name, hint in hints.items():
            # Marks within quoted annotations are not in `__required_keys__`; they are in the hints.
            mark = typing.get_origin(hint)
            if mark not in MARKS:
                required = name in kind.__required_keys__
                mark = typing_extensions.Required if required else typing_extensions.NotRequired
            fields[name] = mark[_strict(_bare(hint))]
        make: Any = typing_extensions.TypedDict  # of a name and fields that are known only now
        closed = make(kind.__name__, fields)
        closed.__pydantic_config__ = _CONFIG
        return closed
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        return Annotated[(_strict(arguments[0]), *arguments[1:])]
    if origin in (typing.Union, types.UnionType):
        return typing.Union[tuple(_strict(one) for one in arguments)]  # noqa: UP007 - of a tuple
    if origin in (collections.abc.Iterable, collections.abc.Sequence, list):
        return list[_strict(arguments[0])]  # type: ignore[misc]
    if origin is dict:
        return dict[arguments[0], _strict(arguments[1])]  # type: ignore[misc, valid-type]
    return kind


def _bare(hint: Any) -> Any:
    """Without Required[…] and NotRequired[…]."""
    while typing.get_origin(hint) in MARKS:
        (hint,) = typing.get_args(hint)
    return hint


def _extra(value: Any) -> list[str]:
    if isinstance(value, BaseModel):
        inner = [name for field in type(value).model_fields for name in _extra(getattr(value, field))]
        return [*(value.model_extra or {}), *inner]
    if isinstance(value, list):
        return [name for item in value for name in _extra(item)]
    return []
