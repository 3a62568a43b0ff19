"""Holding a message against a vendor's types, strictly: nothing missing, nothing unknown, no word it does not have.

The vendors' SDKs are lenient, so that they outlive changes of the API: unknown fields are kept, `type` has a default,
a list of names ends in `Any`. Here a message must fit the types as they are written.
"""

from __future__ import annotations

import types
import typing
from typing import Any, get_args, get_origin

from pydantic import BaseModel, TypeAdapter


class WireFault(AssertionError):
    """A message does not fit."""


def fits(adapter: TypeAdapter[Any], message: Any) -> Any:
    """The message as the vendor's type. Raises WireFault."""
    try:
        read = adapter.validate_python(message)
    except ValueError as error:
        raise WireFault(str(error)) from error
    walk(read, message, "message")
    return read


def walk(read: Any, raw: Any, where: str) -> None:
    """Raises WireFault for what a lenient type let through."""
    if isinstance(read, BaseModel):
        if read.model_extra:
            raise WireFault(f"{where} has unknown fields: {', '.join(sorted(read.model_extra))}")
        for name, field in type(read).model_fields.items():
            key = name if not isinstance(raw, dict) or name in raw else (field.alias or name)
            given = raw.get(key) if isinstance(raw, dict) else None
            if isinstance(raw, dict) and key not in raw:
                if name == "type":
                    raise WireFault(f"{where} has no type")
                continue
            word_of(field.annotation, given, f"{where}.{name}")
            walk(getattr(read, name), given, f"{where}.{name}")
    elif isinstance(read, list | tuple) and isinstance(raw, list):
        for at, (one, given) in enumerate(zip(read, raw, strict=True)):
            walk(one, given, f"{where}[{at}]")


def word_of(annotation: Any, given: Any, where: str) -> None:
    """Raises WireFault for a name that is not in the vendor's list, though the list ends in `Any`."""
    words = literals(annotation)
    if isinstance(given, str) and words and given not in words and any_in(annotation) and not str_in(annotation):
        raise WireFault(f"{where} is {given!r}, and not one of {', '.join(sorted(map(str, words)))}")


def literals(annotation: Any) -> set[Any]:
    if get_origin(annotation) is typing.Literal:
        return set(get_args(annotation))
    return {word for part in get_args(annotation) if not isinstance(part, str) for word in literals(part)}


def any_in(annotation: Any) -> bool:
    return annotation is Any or (
        get_origin(annotation) in (typing.Union, types.UnionType) and any(any_in(part) for part in get_args(annotation))
    )


def str_in(annotation: Any) -> bool:
    return annotation is str or (
        get_origin(annotation) in (typing.Union, types.UnionType) and any(str_in(part) for part in get_args(annotation))
    )
