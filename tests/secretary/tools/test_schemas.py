"""A tenant's schema is one that every model takes; a model's arguments are what the schema says, or an error."""

from __future__ import annotations

import math
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secretary.tools.schemas import MAX_TEXT, ArgumentsError, SchemaError, accept, check_schema, portable

ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "order": {"type": "string", "description": "Its number.", "minLength": 2, "maxLength": 20},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "price": {"type": "number"},
        "express": {"type": "boolean"},
        "colour": {"type": "string", "enum": ["red", "blue"]},
        "lines": {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
        "address": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
    "required": ["order"],
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


def test_a_good_schema() -> None:
    """What tools need can be said."""
    check_schema(ORDER)
    check_schema({"type": "object", "properties": {}})


@pytest.mark.parametrize(
    "schema",
    [
        None,
        [],
        {},
        {"type": "array"},
        {"type": "object", "properties": []},
        {"type": "object", "properties": {"a": {}}},
        {"type": "object", "properties": {"a": {"type": ["string", "null"]}}},
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "(a+)+$"}}},
        {"type": "object", "properties": {"a": {"$ref": "https://x.example/"}}},
        {"type": "object", "properties": {"a b": {"type": "string"}}},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["b"]},
        {"type": "object", "properties": {"a": {"type": "string", "enum": []}}},
        {"type": "object", "properties": {"a": {"type": "integer", "enum": ["one"]}}},
        {"type": "object", "properties": {"a": {"type": "integer", "minimum": math.inf}}},
        {"type": "object", "properties": {"a": {"type": "string", "maxLength": -1}}},
        {"type": "object", "properties": {"a": {"type": "string", "description": 5}}},
        {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {f"a{n}": {"type": "string"} for n in range(200)}},
        {"type": "object", "properties": {"a": {"type": "string", "description": "x" * 501}}},
    ],
)
def test_a_schema_that_some_model_would_refuse(schema: object) -> None:
    """It is refused when it is written, not in a call."""
    with pytest.raises(SchemaError):
        check_schema(schema)


def test_too_deep() -> None:
    """Nesting has an end."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(6):
        schema = {"type": "object", "properties": {"a": schema}}
    with pytest.raises(SchemaError):
        check_schema(schema)


def test_portable() -> None:
    """A model is shown types, words and choices; bounds that some provider refuses are left out."""
    shown = portable(ORDER)
    assert shown["properties"]["order"] == {"type": "string", "description": "Its number."}
    assert shown["properties"]["colour"]["enum"] == ["red", "blue"] and shown["required"] == ["order"]
    assert shown["properties"]["lines"] == {"type": "array", "items": {"type": "integer"}}
    assert portable({"type": "array"})["items"] == {"type": "string"}
    jsonschema.Draft202012Validator.check_schema(shown)


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        ({}, "`order` missing"),
        ({"order": "x"}, "`order` is too short: 2 at least"),
        ({"order": "x" * 21}, "`order` is too long: 20 at most"),
        ({"order": ["17"]}, "`order` must be of type string"),
        ({"order": "17", "count": "two"}, "`count` must be of type integer"),
        ({"order": "17", "count": 0}, "`count` must be at least 1"),
        ({"order": "17", "count": 10}, "`count` must be at most 9"),
        ({"order": "17", "colour": "green"}, "`colour` must be one of: red, blue"),
        ({"order": "17", "lines": [1, "x"]}, "`lines.1` must be of type integer"),
        ({"order": "17", "lines": [1, 2, 3, 4]}, "`lines` is too long: 3 at most"),
        ({"order": "17", "address": {}}, "`address.city` missing"),
        (["17"], "takes a JSON object"),
        ("order", "takes a JSON object"),
        (None, "takes a JSON object"),
    ],
)
def test_an_error_that_a_model_can_mend_by(given_: object, told: str) -> None:
    """It names the argument and what is wanted."""
    with pytest.raises(ArgumentsError, match="find_order") as error:
        accept("find_order", ORDER, given_)
    assert told in str(error.value)


def test_what_models_do() -> None:
    """Numbers as text, whole floats, null for `I do not know`, and members that there are not: all understood."""
    given_ = {"order": " 17\x00\n", "count": "2", "price": "3.50", "express": "True", "colour": None, "mood": "happy"}
    assert accept("find_order", ORDER, given_) == {"order": "17", "count": 2, "price": 3.5, "express": True}
    assert accept("find_order", ORDER, {"order": 17, "count": 2.0}) == {"order": "17", "count": 2}


def test_what_is_not_in_the_schema_stays_out() -> None:
    """Unless the schema lets it in."""
    loose = {"type": "object", "properties": {}, "additionalProperties": True}
    assert accept("note", loose, {"a": {"b": [1]}}) == {"a": {"b": [1]}}
    assert accept("note", {"type": "object", "properties": {}}, {"a": 1}) == {}


@settings(max_examples=150, deadline=None)
@given(JSON)
def test_anything_is_accepted_or_refused(value: Any) -> None:
    """Whatever a model gives: arguments that fit the schema, or an error of bounded length. Nothing else."""
    try:
        accepted = accept("find_order", ORDER, value)
    except ArgumentsError as error:
        assert len(str(error)) < 1_000
    else:
        jsonschema.validate(accepted, ORDER)
        assert set(accepted) <= set(ORDER["properties"])


@settings(max_examples=60, deadline=None)
@given(st.fixed_dictionaries({"order": st.text(min_size=2)}, optional={"count": JSON, "lines": JSON, "address": JSON}))
def test_texts_are_storable(value: dict[str, Any]) -> None:
    """No NUL, no lone surrogate, no text without end comes through."""
    try:
        accepted = accept("find_order", ORDER, value)
    except ArgumentsError:
        return
    accepted["order"].encode("utf-8")
    assert "\x00" not in accepted["order"] and len(accepted["order"]) <= MAX_TEXT


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_any_schema_is_good_or_refused(value: Any) -> None:
    """Whatever a tenant writes: refused, or a schema by which arguments can be judged."""
    try:
        check_schema(value)
    except SchemaError:
        return
    jsonschema.Draft202012Validator.check_schema(value)
    portable(value)
