"""The OpenAPI document: valid, complete, and true."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.internal.cache import LRUCache
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from secretary.api import limits
from secretary.api.documentation import document
from tests.secretary.api.cast import Cast
from tests.secretary.api.client import domain_key, installation_key
from tests.secretary.api.test_every_route import routes

EXAMPLES: Final = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "6"))
"""Requests for each operation and mode; more for a night: SCHEMATHESIS_EXAMPLES=200 SCHEMATHESIS_SEED=7."""
SEED: Final = int(os.environ.get("SCHEMATHESIS_SEED", "1"))
"""Another one makes other requests. The same one makes the same, wherever and in whatever order the tests run."""
PROMISES: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CHECKS_OF: Final = {
    GenerationMode.POSITIVE: PROMISES,
    GenerationMode.NEGATIVE: [*PROMISES, negative_data_rejection],
}


def test_it_is_valid_without_a_warning() -> None:
    """drf-spectacular validates it against OpenAPI 3.1's own schema, and has nothing to complain of."""
    with tempfile.NamedTemporaryFile() as file:
        call_command("spectacular", "--validate", "--fail-on-warn", "--file", file.name)


def test_it_describes_every_route() -> None:
    """As many operations as there are routes, each with an id of its own, a summary and its errors."""
    operations = [
        operation
        for item in document()["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    ]
    assert len(operations) == len(routes())
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert operation["summary"], operation["operationId"]
        assert {"401", "403", "429"} <= set(operation["responses"]), operation["operationId"]


def test_a_password_is_only_ever_sent() -> None:
    """No component that is answered has a field for a secret."""
    for name, component in document()["components"]["schemas"].items():
        if not name.endswith("Request"):
            assert not {"password", "secret_hash", "assertion_secret"} & set(component.get("properties", {})), name


OPERATIONS = [
    (path, method)
    for path, item in document()["paths"].items()
    for method in ("get", "post", "put", "patch", "delete")
    if method in item
]


@pytest.fixture(autouse=True)
def kept_connection() -> Iterator[None]:
    """The end of a request closes no connection, as with Django's own client: the test's transaction lives on it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(autouse=True)
def no_luck(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hypothesis tries words of the code that happens to be imported: other ones in each order of tests."""
    monkeypatch.setattr(providers, "_get_local_constants", Constants)
    monkeypatch.setattr(providers, "CONSTANTS_CACHE", LRUCache(1024))


@pytest.fixture(scope="module")
def description() -> BaseSchema:
    schema: BaseSchema = schemathesis.openapi.from_dict(document())
    schema.app = get_wsgi_application()
    return schema


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: str(mode.value))
@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda value: str(value))
def test_it_is_true(
    ours: Cast, description: BaseSchema, path: str, method: str, mode: GenerationMode, monkeypatch: Any
) -> None:
    """Requests made from the document, right ones and wrong ones: no 5xx, no status, header, type or body but those
    that it promises, and what it calls wrong is refused."""
    monkeypatch.setattr(limits, "limit_of", lambda _principal: 10**6)
    operation = description[path][method]
    tokens = [domain_key(ours.tenant.domain_uuid), installation_key()]
    known = {name: str(value) for name, value in ours.objects.items() if f"{{{name}}}" in path}

    @seed(SEED)
    @hypothesis_settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode, path_parameters=known), token=st.sampled_from(tokens), star=st.booleans())
    def ask(case: Case, token: str, star: bool) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        if star and method in ("patch", "delete"):
            headers["If-Match"] = "*"
        with transaction.atomic():
            # What one request has done, the next one must not find.
            response = case.call(headers=headers)
            transaction.set_rollback(True)
        # In bulk, a wrong domain fails by itself: 207, with its problem among the items.
        case.validate_response(response, checks=PROMISES if response.status_code == 207 else CHECKS_OF[mode])

    ask()
