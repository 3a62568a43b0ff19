"""Every field of every body, held against the OpenAPI document without any luck: other types, texts that are too long,
patterns with a space at the end. All of one body at once, because every fault is to be named."""

from __future__ import annotations

from typing import Any, Final

import pytest

from secretary.api.documentation import document
from tenants.keys import IssuedKey, issue_installation_key
from tests.secretary.api.cast import Cast
from tests.secretary.api.client import bearer

TYPES: Final[dict[str, Any]] = {
    "string": "x", "integer": 12522, "number": 1.5, "boolean": True, "array": [12522], "object": {"x": []},
}  # fmt: skip
DOCUMENT: Final = document()
BODIES: Final = [
    (path, method)
    for path, item in DOCUMENT["paths"].items()
    for method in ("post", "put", "patch")
    if method in item and "requestBody" in item[method]
]


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without references at its top."""
    for part in (schema, *schema.get("allOf", ()), *schema.get("oneOf", ())):
        if "$ref" in part:
            return {**resolved(DOCUMENT["components"]["schemas"][part["$ref"].rpartition("/")[2]]), **schema}
    return schema


def properties(path: str, method: str) -> dict[str, dict[str, Any]]:
    body = DOCUMENT["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]
    return {name: resolved(one) for name, one in resolved(body).get("properties", {}).items()}


def types_of(schema: dict[str, Any]) -> set[str]:
    """The JSON types that a schema lets in. An integer is a number."""
    kinds = schema.get("type", [])
    found = {kinds} if isinstance(kinds, str) else set(kinds)
    for part in schema.get("oneOf", ()):
        found |= types_of(resolved(part))
    if "enum" in schema:
        found |= {"string"}
    return found | ({"integer"} if "number" in found else set())


def too_long(schema: dict[str, Any]) -> Any:
    """A value that is too long only because of the spaces at its end, or does not fit its pattern because of one."""
    if "string" in types_of(schema):
        if "maxLength" in schema:
            return "1" + " " * schema["maxLength"]
        if "pattern" in schema and "$" in schema["pattern"]:
            return "1001 "
    if "array" in types_of(schema):
        inner = too_long(resolved(schema.get("items", {})))
        return None if inner is None else [inner]
    return None


@pytest.fixture
def installation(ours: Cast) -> IssuedKey:
    return issue_installation_key(name="the hosting company", scopes=["*"])


def refused(installation: IssuedKey, ours: Cast, path: str, method: str, body: dict[str, Any]) -> set[str]:
    """The fields that the answer names. It must be a 400, whatever version the request meant."""
    where = path.removeprefix("/api/v1/").replace("{provider}", "gemini-live")
    own = {"key_uuid": installation.key.key_uuid} if where.startswith("api-keys/") else {}
    for name, value in {**ours.objects, **own}.items():
        where = where.replace(f"{{{name}}}", str(value))
    answer = bearer(installation.token).send(method.upper(), where, body, If_Match='"another"')
    assert answer.status_code == 400, (path, method, body, answer.status_code)
    return {error["field"].partition("[")[0].partition(".")[0] for error in answer.json()["errors"]}


@pytest.mark.parametrize(("path", "method"), BODIES, ids=lambda value: str(value))
def test_what_the_document_calls_wrong_is_named(installation: IssuedKey, ours: Cast, path: str, method: str) -> None:
    """A value of another type, and one that is too long before it is trimmed: 400 before any 412, naming each field."""
    fields = properties(path, method)
    for kind, value in TYPES.items():
        wrong = {name: value for name, schema in fields.items() if types_of(schema) and kind not in types_of(schema)}
        if wrong:
            assert refused(installation, ours, path, method, wrong) >= set(wrong), kind
    long = {name: found for name, schema in fields.items() if (found := too_long(schema)) is not None}
    if long:
        assert refused(installation, ours, path, method, long) >= set(long)
