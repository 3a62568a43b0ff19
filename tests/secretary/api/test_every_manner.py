"""What every route does in the same way, made from the map of addresses: versions, repetitions, fields, the record."""

from __future__ import annotations

from typing import Any, Final

import pytest
from django.urls import URLPattern

from secretary.api import limits
from tenants.context import platform_context
from tenants.models import AuditEvent, InstallationEvent
from tests.secretary.api.cast import Cast
from tests.secretary.api.client import Api, bearer, installation_key
from tests.secretary.api.test_every_route import ROWS, address, objects_of, routes

OTHER: Final = '"another"'
NOT_LISTS: Final = frozenset({"call-transcript", "call-timeline", "call-usage", "usage", "health", "me"})
"""They answer as a whole, or with sound."""
SOUND: Final = frozenset({"call-recording", "message-audio", "caller-export"})
WITHOUT_A_LINE: Final = {
    ("messages-detail", "PATCH"): "that a message was read is no setting",
    ("webhook-ping", "POST"): "a test changes nothing; it stands in the log of deliveries",
}
OTHERWISE: Final[dict[tuple[str, str], Any]] = {
    ("domains-detail", "PUT"): {"max_calls": 3},
    ("callbacks-detail", "PATCH"): {"name": "Bea"},
    ("webhooks-detail", "PATCH"): {"enabled": False},
    ("provision-domain", "PUT"): {"secretaries": [{"name": "Dawn"}]},
}
"""Where the usual body changes nothing: the record has no lines of nothing."""
ROUTES: Final = [(pattern, method) for pattern, method in routes()]


@pytest.fixture(autouse=True)
def no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "limit_of", lambda _principal: 10**6)


@pytest.fixture
def api(ours: Cast) -> Api:
    return bearer(installation_key())


def of(method: str) -> Any:
    chosen = [(pattern, verb) for pattern, verb in ROUTES if verb == method]
    return pytest.mark.parametrize(("pattern", "method"), chosen, ids=[f"{pattern.name}" for pattern, _ in chosen])


def body_of(pattern: URLPattern, method: str, ours: Cast) -> Any:
    row = ROWS[str(pattern.name), method]
    return ours.bodies[row.body_for] if row.body_for else row.body


def lines() -> int:
    with platform_context():
        return AuditEvent.objects.count() + InstallationEvent.objects.count()


@of("POST")
def test_repetitions(pattern: URLPattern, method: str, ours: Cast, api: Api) -> None:
    """The same POST under the same key happens once, and has the same answer but for what is shown once."""
    where, body = address(pattern, objects_of(ours, pattern)), body_of(pattern, method, ours)
    first = api.post(where, body, Idempotency_Key="k")
    written = lines()
    again = api.post(where, body, Idempotency_Key="k")
    assert (again.status_code, again["Idempotency-Replayed"]) == (first.status_code, "true")
    once = {"secret", "token", "key"}
    kept = {name: value for name, value in first.json().items() if name not in once}
    assert {name: value for name, value in again.json().items() if name not in once} == kept
    assert lines() == written


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "PUT"])
def test_versions(method: str, ours: Cast, api: Api) -> None:
    """Another version is 412 and none at all 428 (a PUT says the whole: it may do without), and nothing happens."""
    for pattern, verb in ROUTES:
        if verb != method or pattern.name == "provision-domain":
            continue
        where, body = address(pattern, objects_of(ours, pattern)), body_of(pattern, method, ours)
        written = lines()
        assert api.send(method, where, body, If_Match=OTHER).status_code == 412, pattern.name
        if method != "PUT":
            assert api.send(method, where, body).status_code == 428, pattern.name
        assert lines() == written, pattern.name
        if (pattern, "GET") in ROUTES:
            tag = api.get(where)["ETag"]
            assert api.get(where, If_None_Match=tag).status_code == 304, pattern.name


def test_fields(ours: Cast, api: Api) -> None:
    """Of lists and of single objects only what was asked for is shown; what does not exist is told."""
    empty: list[str] = []
    for pattern, method in ROUTES:
        if method != "GET" or pattern.name in NOT_LISTS | SOUND:
            continue
        where = address(pattern, objects_of(ours, pattern))
        found = api.get(where).json()
        shown = (found["items"] or [{}])[0] if "items" in found else found
        if not shown:
            empty.append(str(pattern.name))
            continue
        name = sorted(shown)[-1]
        found = api.get(f"{where}?fields={name}").json()
        assert set(found["items"][0] if "items" in found else found) == {name}, pattern.name
        wrong = api.get(f"{where}?fields=nothing")
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "fields"), pattern.name
    assert empty == ["dials-list"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_every_write_leaves_a_line(method: str, ours: Cast, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the domain's record, or in the installation's."""
    for pattern, verb in ROUTES:
        if verb != method or (str(pattern.name), method) in WITHOUT_A_LINE:
            continue
        where, body = address(pattern, objects_of(ours, pattern)), body_of(pattern, method, ours)
        body = {**body, **OTHERWISE[str(pattern.name), method]} if (str(pattern.name), method) in OTHERWISE else body
        written = lines()
        answer = api.send(method, where, body, **({"If_Match": "*"} if method in ("PATCH", "DELETE") else {}))
        assert answer.status_code < 300 or answer.status_code in (409, 404), (pattern.name, answer.content)
        if answer.status_code < 300 and answer.status_code != 207:
            assert lines() > written, pattern.name
