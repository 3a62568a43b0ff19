"""Errors: one shape, whatever is sent."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secretary.api.conditions import parse_tags
from secretary.api.resources import RESOURCES, known_scopes
from tests.cast import Tenant
from tests.secretary.api.client import Api, bearer, domain_key

MEMBERS = {"type", "title", "status", "code", "detail", "mend", "instance", "request_id", "errors"}


def check(answer: Any, status: int) -> dict[str, Any]:
    """It is a problem as RFC 9457 and our own page describe it."""
    assert answer.status_code == status, answer.content[:500]
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert set(body) == MEMBERS
    assert body["status"] == status
    assert body["request_id"] == answer["X-Request-Id"]
    return body


def test_a_problem_names_field_reason_and_mend(acme: Tenant, api: Api) -> None:
    """Every fault of a body at once, by its path."""
    where = f"domains/{acme.domain_uuid}/secretaries"
    body = check(api.post(where, {"language": "xx", "max_call_s": 1, "nonsense": 1}), 400)
    assert {error["field"]: error["code"] for error in body["errors"]} == {
        "nonsense": "unknown_field", "name": "required", "language": "invalid_choice", "max_call_s": "min_value",
    }  # fmt: skip
    assert all(error["reason"] and error["mend"] for error in body["errors"])


def test_it_speaks_the_clients_language(acme: Tenant, api: Api) -> None:
    """Accept-Language: the sentences change, the codes do not."""
    where = f"domains/{acme.domain_uuid}/secretaries"
    english = check(api.post(where, {}, Accept_Language="en"), 400)
    portuguese = check(api.post(where, {}, Accept_Language="pt-BR,pt;q=0.9"), 400)
    assert english["code"] == portuguese["code"]
    assert english["title"] != portuguese["title"]
    assert portuguese["errors"][0]["reason"] == "Este campo é obrigatório."
    assert portuguese["errors"][0]["mend"] == "Envie este campo."


def test_request_ids(acme: Tenant, api: Api) -> None:
    """Ours where none is sent; theirs where it is harmless."""
    assert api.get("me", X_Request_Id="abc-123")["X-Request-Id"] == "abc-123"
    assert api.get("me", X_Request_Id="a b<script>")["X-Request-Id"] != "a b<script>"
    assert len(api.get("me")["X-Request-Id"]) == 32


def test_what_is_no_address(api: Api) -> None:
    """404 in the same shape, also without a key, also with a slash too many."""
    for path in ("nonsense", "domains/", "domains/x/secretaries", f"domains/{uuid4()}/nonsense", ""):
        check(Api().get(path), 404)
        check(api.send("DELETE", path), 404)


def test_wrong_methods(acme: Tenant, api: Api) -> None:
    """405, with those that there are."""
    answer = api.send("PATCH", "me", {})
    check(answer, 405)
    assert answer["Allow"] == "GET, HEAD"
    check(api.send("OPTIONS", "me"), 405)
    check(api.put(f"domains/{acme.domain_uuid}/calls", {}), 405)


BAD_BODIES: list[bytes] = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b"{}x",
    b'{"name": NaN}',
    b'{"name": "\xff"}',
    b'{"name": "\\ud800"}',
    b"[" * 100_000,
    b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    b'{"a":' * 30 + b"1" + b"}" * 30,
    b'{"name": "a\\u0000b"}',
    b'{"name": {"a": 1}}',
    b'{"name": ["a"]}',
    b'{"name": null}',
    b'{"name": 1e400}',
    b'{"name": "x", "max_call_s": 1e300}',
    b'{"name": "x", "max_call_s": 99999999999999999999999}',
    b'{"name": "x", "max_call_s": true}',
    b'{"name": "x", "silence_s": "Infinity"}',
    b'{"name": "x", "silence_s": "NaN"}',
    b'{"name": "x", "\\u0000": 1}',
    b'{"name": "' + b"x" * 200 + b'"}',
    b'{"name": "x", "prompt": "' + b"x" * 20_001 + b'"}',
    b"\x1f\x8b\x08\x00",
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: repr(body[:30]))
def test_hostile_bodies(acme: Tenant, api: Api, body: bytes) -> None:
    """400, never 500, and never a row."""
    where = f"domains/{acme.domain_uuid}/secretaries"
    answer = api.send("POST", where, body)
    check(answer, 400)
    check(api.send("PUT", f"{where}/{uuid4()}", body), 400)


def test_a_huge_body(acme: Tenant, api: Api) -> None:
    """413 above a MiB; the bulk endpoint takes more, and has its own bound."""
    huge = b'{"name": "' + b"x" * (1024 * 1024) + b'"}'
    check(api.send("POST", f"domains/{acme.domain_uuid}/secretaries", huge), 413)
    check(api.send("PUT", f"domains/{acme.domain_uuid}/provision", huge), 400)


def test_other_kinds_of_body(acme: Tenant, api: Api) -> None:
    """415 for forms, XML and nothing said."""
    where = f"/api/v1/domains/{acme.domain_uuid}/secretaries"
    for kind in ("application/x-www-form-urlencoded", "text/xml", "multipart/form-data; boundary=x", "nonsense"):
        answer = Client().generic(
            "POST", where, b"name=x", content_type=kind, headers={"Authorization": api.authorization}
        )
        check(answer, 415)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["name", "number", "kind", "aliases", "priority", "enabled", "extension", "secretary_uuid", "host", "port",
     "password", "scopes", "allowed_ips", "expires_at", "call_uuid", "secretaries", "extensions", "domains"],
)  # fmt: skip


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(FIELDS, JSON, max_size=6), at=st.integers(0, 20))
def test_any_body_anywhere(acme: Tenant, api: Api, body: dict[str, Any], at: int) -> None:
    """Whatever is sent to whatever takes a body: an answer that is documented, never 5xx."""
    base = f"domains/{acme.domain_uuid}"
    targets = [
        ("POST", f"{base}/secretaries"), ("POST", f"{base}/destinations"), ("POST", f"{base}/extensions"),
        ("POST", f"{base}/jobs"), ("POST", f"{base}/api-keys"), ("PUT", f"{base}/esl-credential"),
        ("PUT", f"{base}/provision"), ("PUT", f"{base}/destinations/{uuid4()}"),
        ("PATCH", f"{base}/destinations/{acme.sales.pk}"), ("PATCH", base),
    ]  # fmt: skip
    method, where = targets[at % len(targets)]
    answer = api.send(method, where, json.dumps(body).encode("utf-8", "surrogatepass"), If_Match="*")
    assert answer.status_code in (200, 201, 202, 400, 403, 412), answer.content[:300]


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_any_text_as_a_tag(text: str) -> None:
    """A header is taken apart or ignored, never an exception; `*` alone means any."""
    tags = parse_tags(text, weak=True)
    assert tags is None if text.strip() == "*" else isinstance(tags, frozenset)


def test_the_database_is_away(acme: Tenant, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 with when to come again, and no word of SQL."""
    from secretary.api.resources import secretaries

    def gone(**_: Any) -> None:
        raise OperationalError("connection to server at 10.0.0.7 failed: password=swordfish")

    monkeypatch.setattr(secretaries, "create_secretary", gone)
    answer = api.post(f"domains/{acme.domain_uuid}/secretaries", {"name": "x"})
    check(answer, 503)
    assert answer["Retry-After"] == "2"
    assert b"swordfish" not in answer.content


def test_a_bug_of_ours(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 in the same shape, with the request's id and nothing of what went wrong."""
    from secretary.api.resources import secretaries

    def broken(**_: Any) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(secretaries, "create_secretary", broken)
    api = Api(bearer(domain_key(acme.domain_uuid)).authorization, Client(raise_request_exception=False))
    answer = api.post(f"domains/{acme.domain_uuid}/secretaries", {"name": "x"})
    check(answer, 500)
    assert b"secret detail" not in answer.content


def test_every_resource_has_scopes() -> None:
    """Two for each, and the two that mean all."""
    scopes = known_scopes()
    assert {"*", "*:read", "recordings:read", "provision:write"} <= scopes
    for resource in RESOURCES:
        assert {f"{resource.scope}:read", f"{resource.scope}:write"} <= scopes
