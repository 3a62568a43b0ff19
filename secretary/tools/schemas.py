"""JSON Schema as far as every model understands it: what a tenant may write, what a model is shown, what is judged.

    check_schema(parameters)                    # when a tenant saves a tool
    portable(parameters)                        # for a provider: types, words, choices, and no more
    accept("find_order", parameters, given)     # a model's arguments, cleaned; or an error that it can mend by

Nothing here is executed and nothing is looked up: no `$ref`, no `pattern` (a regular expression of a tenant's could
stop the node), and bounds on depth, number and length.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import jsonschema
from django.utils.translation import gettext as _
from jsonschema.exceptions import ValidationError as Mismatch

from secretary.services import clean

TYPES: Final = ("string", "integer", "number", "boolean", "array", "object")
COMMON: Final = frozenset({"type", "title", "description", "enum", "default"})
BY_TYPE: Final[Mapping[str, frozenset[str]]] = {
    "string": frozenset({"minLength", "maxLength", "format"}),
    "integer": frozenset({"minimum", "maximum"}),
    "number": frozenset({"minimum", "maximum"}),
    "boolean": frozenset(),
    "array": frozenset({"items", "minItems", "maxItems"}),
    "object": frozenset({"properties", "required", "additionalProperties"}),
}
SHOWN: Final = ("type", "description", "enum")
MAX_DEPTH: Final = 4
MAX_NODES: Final = 100
MAX_CHOICES: Final = 100
MAX_SIZE: Final = 16 * 1024
MAX_WORDS: Final = 500
PROPERTY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
MAX_TEXT: Final = 2_000
"""Characters of one argument that are taken."""
MAX_TOLD: Final = 5
"""Faults that a model is told of at a time."""


class SchemaError(ValueError):
    """A schema that cannot be used; the message is for the person who wrote it."""


class ArgumentsError(ValueError):
    """Arguments that do not fit; the message is for the model, in English."""


# A tenant's schema ------------------------------------------------------------------------------------------------


def check_schema(schema: object) -> None:
    """Whether a tenant's schema can be used. Raises SchemaError."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise SchemaError(_("The schema must be of an object: {“type”: “object”, “properties”: {…}}."))
    try:
        size = len(json.dumps(schema))
    except (TypeError, ValueError, RecursionError) as error:
        raise SchemaError(_("This is no JSON Schema.")) from error
    if size > MAX_SIZE:
        raise SchemaError(_("The schema is longer than %(most)d characters.") % {"most": MAX_SIZE})
    if sum(1 for _node in _check(schema, "", MAX_DEPTH)) > MAX_NODES:
        raise SchemaError(_("The schema has more than %(most)d parts.") % {"most": MAX_NODES})


def _check(schema: object, where: str, depth: int) -> Iterator[None]:
    place = where or _("the whole")
    if not depth:
        raise SchemaError(_("%(where)s is nested too deeply.") % {"where": place})
    if not isinstance(schema, dict):
        raise SchemaError(_("%(where)s is no schema.") % {"where": place})
    kind = schema.get("type")
    if not isinstance(kind, str) or kind not in TYPES:
        known = ", ".join(TYPES)
        raise SchemaError(_("%(where)s: type must be one of %(known)s.") % {"where": place, "known": known})
    if strange := sorted(set(map(str, schema)) - COMMON - BY_TYPE[kind]):
        raise SchemaError(_("%(where)s: %(word)s is not taken here.") % {"where": place, "word": strange[0][:40]})
    _check_words(schema, place)
    _check_bounds(schema, place)
    _check_choices(schema, kind, place)
    yield
    if kind == "array" and "items" in schema:
        yield from _check(schema["items"], f"{where}[]", depth - 1)
    if kind == "object":
        yield from _check_members(schema, where, place, depth)


def _check_members(schema: Mapping[str, Any], where: str, place: str, depth: int) -> Iterator[None]:
    members = schema.get("properties", {})
    required = schema.get("required", [])
    if not isinstance(members, dict) or any(not PROPERTY.match(str(name)) for name in members):
        text = _("%(where)s: properties must be named in letters, digits and _.")
        raise SchemaError(text % {"where": place})
    if not isinstance(required, list) or any(name not in members for name in map(str, required)):
        raise SchemaError(_("%(where)s: required names what is not in properties.") % {"where": place})
    if not isinstance(schema.get("additionalProperties", False), bool):
        raise SchemaError(_("%(where)s: additionalProperties must be true or false.") % {"where": place})
    for name, member in members.items():
        yield from _check(member, f"{where}.{name}" if where else name, depth - 1)


def _check_words(schema: Mapping[str, Any], place: str) -> None:
    for word in ("title", "description", "format"):
        if word in schema and not (isinstance(schema[word], str) and len(schema[word]) <= MAX_WORDS):
            raise SchemaError(_("%(where)s: %(word)s must be a text, and shorter.") % {"where": place, "word": word})


def _check_bounds(schema: Mapping[str, Any], place: str) -> None:
    for word in ("minLength", "maxLength", "minItems", "maxItems"):
        if word in schema and not (type(schema[word]) is int and 0 <= schema[word] <= 10_000):
            raise SchemaError(_("%(where)s: %(word)s must be a whole number.") % {"where": place, "word": word})
    for word in ("minimum", "maximum"):
        if word in schema and not (type(schema[word]) in (int, float) and math.isfinite(schema[word])):
            raise SchemaError(_("%(where)s: %(word)s must be a number.") % {"where": place, "word": word})


def _check_choices(schema: Mapping[str, Any], kind: str, place: str) -> None:
    if "enum" not in schema:
        return
    choices = schema["enum"]
    right = {"string": (str,), "integer": (int,), "number": (int, float)}.get(kind, ())
    if not isinstance(choices, list) or not 0 < len(choices) <= MAX_CHOICES:
        raise SchemaError(_("%(where)s: enum must be a list of 1 to %(n)d.") % {"where": place, "n": MAX_CHOICES})
    if any(type(choice) not in right for choice in choices):
        raise SchemaError(_("%(where)s: enum holds a value of another type.") % {"where": place})


# For a model ------------------------------------------------------------------------------------------------------


def portable(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema in the words that every provider takes; bounds that some refuse are judged here all the same."""
    shown: dict[str, Any] = {word: schema[word] for word in SHOWN if word in schema}
    if schema.get("type") == "array":
        shown["items"] = portable(schema.get("items") or {"type": "string"})
    if schema.get("type") == "object":
        shown["properties"] = {name: portable(member) for name, member in schema.get("properties", {}).items()}
        if schema.get("required"):
            shown["required"] = list(schema["required"])
    return shown


# A model's arguments ----------------------------------------------------------------------------------------------


def accept(tool: str, schema: Mapping[str, Any], given: object) -> dict[str, Any]:
    """The arguments as the tool gets them: only what the schema knows, texts cleaned, `"2"` for a number taken as 2.

    Raises ArgumentsError.
    """
    if not isinstance(given, Mapping):
        raise ArgumentsError(f"{tool} takes a JSON object of arguments.")
    arguments = _fitted(schema, given, MAX_DEPTH)
    faults = sorted(
        jsonschema.Draft202012Validator(schema).iter_errors(arguments),
        key=lambda fault: list(map(str, fault.absolute_path)),
    )
    if faults:
        told = "; ".join(dict.fromkeys(_told(fault) for fault in faults[:MAX_TOLD]))
        raise ArgumentsError(f"The arguments of {tool} are not right: {told}. Mend them and call it again.")
    return dict(arguments)


def _fitted(schema: Mapping[str, Any], value: Any, depth: int) -> Any:
    kind = schema.get("type")
    if isinstance(value, str):
        text = clean.text(value, MAX_TEXT).strip()
        return _number(text, kind) if kind in ("integer", "number", "boolean") else text
    if isinstance(value, float) and kind == "integer" and value.is_integer():
        return int(value)
    if type(value) in (int, float) and kind == "string":
        return str(value)
    if isinstance(value, Mapping) and kind == "object" and depth:
        members: Mapping[str, Any] = schema.get("properties", {})
        fitted = {
            name: _fitted(members[name], part, depth - 1)
            for name, part in value.items()
            if name in members and part is not None  # a model says null for "I do not know"
        }
        if schema.get("additionalProperties") is True:
            more = {name: part for name, part in value.items() if name not in members}
            fitted |= clean.json_object(more)
        return fitted
    if isinstance(value, (list, tuple)) and kind == "array" and depth:
        items = schema.get("items", {})
        return [_fitted(items, part, depth - 1) for part in value[: clean.MAX_ITEMS]]
    return clean.json_value(value, depth)


def _number(text: str, kind: str) -> Any:
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    if len(text) > 40:
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        return text
    return int(number) if number.is_integer() and "." not in text and "e" not in text.lower() else number


def _told(fault: Mismatch) -> str:
    place = ".".join(str(part) for part in fault.absolute_path)
    name = f"`{place}`" if place else "the whole"
    bound: Any = fault.validator_value
    there: Any = fault.instance
    match fault.validator:
        case "required":
            missing = [one for one in bound if one not in there]
            return " and ".join(f"`{place}.{one}`" if place else f"`{one}`" for one in missing) + " missing"
        case "type":
            return f"{name} must be of type {bound}"
        case "enum":
            choices = ", ".join(str(choice) for choice in bound[:30])
            return f"{name} must be one of: {choices}"
        case "minimum" | "maximum":
            return f"{name} must be {'at least' if fault.validator == 'minimum' else 'at most'} {bound}"
        case "minLength" | "minItems":
            return f"{name} is too short: {bound} at least"
        case "maxLength" | "maxItems":
            return f"{name} is too long: {bound} at most"
        case _:
            return f"{name} does not fit"
