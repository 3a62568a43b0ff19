"""Every route, for every kind of principal, with own, foreign and missing objects: made from the map of addresses.

A new route fails here until it has a row in ROWS.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import URLPattern

from secretary.api.principal import NOT_FOR_EVERY_ROLE
from secretary.api.urls import urlpatterns
from secretary.models import Message
from secretary.services.providers import save_installation
from tenants.context import platform_context, tenant_context
from tenants.keys import issue_installation_key
from tenants.models import InstallationKey
from tenants.services import add_member
from tests.secretary.api.cast import TOOL, Cast
from tests.secretary.api.client import Api, assertion, bearer, domain_key, installation_key

UNGUARDED: Final = frozenset({"openapi", "docs", "nowhere"})
"""Everybody may read these; they hold nothing of anybody."""


@dataclass(frozen=True)
class Row:
    """What a route does for somebody who may: the status, with this body."""

    scope: str
    ok: int
    body: Any = None
    operator_only: bool = False
    """What only the installation may do. A domain's key gets 403."""
    body_for: str = ""
    """The name of a body that is made from the tenant's own objects."""


SECRETARY = {"name": "Night"}
DESTINATION = {"name": "Repairs", "number": "1009"}
LONG_AGO = {"since": "2020-01-01T00:00:00Z", "until": "2021-01-01T00:00:00Z"}
HOOK = {"url": "https://crm.example.com/hook", "events": ["call.ended"]}
SPEECH: Final = {"provider": "gemini-live", "api_key": "AIza-not-a-real-one"}

# (name of the route, method) → what it does
ROWS: Final[dict[tuple[str, str], Row]] = {
    ("domains-list", "GET"): Row("domains", 200),
    ("domains-list", "POST"): Row("domains", 201, {"name": "initech.example"}, operator_only=True),
    ("domains-detail", "GET"): Row("domains", 200),
    ("domains-detail", "PUT"): Row("domains", 200, body_for="domain"),
    ("domains-detail", "PATCH"): Row("domains", 200, {"language": "pt-br"}),
    ("domains-detail", "DELETE"): Row("domains", 409, operator_only=True),
    ("esl-credential", "GET"): Row("esl-credential", 200),
    ("esl-credential", "PUT"): Row("esl-credential", 200, {"host": "10.0.0.1", "password": "x"}),
    ("esl-credential", "PATCH"): Row("esl-credential", 200, {"max_reconnects": 2}),
    ("esl-credential", "DELETE"): Row("esl-credential", 204),
    ("secretaries-list", "GET"): Row("secretaries", 200),
    ("secretaries-list", "POST"): Row("secretaries", 201, SECRETARY),
    ("secretaries-detail", "GET"): Row("secretaries", 200),
    ("secretaries-detail", "PUT"): Row("secretaries", 200, SECRETARY),
    ("secretaries-detail", "PATCH"): Row("secretaries", 200, SECRETARY),
    ("secretaries-detail", "DELETE"): Row("secretaries", 204),
    ("extensions-list", "GET"): Row("extensions", 200),
    ("extensions-list", "POST"): Row("extensions", 201, body_for="extension"),
    ("extensions-detail", "GET"): Row("extensions", 200),
    ("extensions-detail", "PUT"): Row("extensions", 200, body_for="extension"),
    ("extensions-detail", "PATCH"): Row("extensions", 200, {"enabled": False}),
    ("extensions-detail", "DELETE"): Row("extensions", 204),
    ("destinations-list", "GET"): Row("destinations", 200),
    ("destinations-list", "POST"): Row("destinations", 201, DESTINATION),
    ("destinations-detail", "GET"): Row("destinations", 200),
    ("destinations-detail", "PUT"): Row("destinations", 200, DESTINATION),
    ("destinations-detail", "PATCH"): Row("destinations", 200, DESTINATION),
    ("destinations-detail", "DELETE"): Row("destinations", 204),
    ("providers-list", "GET"): Row("providers", 200),
    ("providers-list", "POST"): Row("providers", 201, SPEECH),
    ("providers-detail", "GET"): Row("providers", 200),
    ("providers-detail", "PUT"): Row("providers", 200, SPEECH),
    ("providers-detail", "PATCH"): Row("providers", 200, {"enabled": False}),
    ("providers-detail", "DELETE"): Row("providers", 204),
    ("provider-test", "POST"): Row("providers", 200, {}),
    ("opening-hours-list", "GET"): Row("opening-hours", 200),
    ("opening-hours-list", "POST"): Row("opening-hours", 201, {"name": "Night", "weekly": {"mon": ["20:00-06:00"]}}),
    ("opening-hours-detail", "GET"): Row("opening-hours", 200),
    ("opening-hours-detail", "PUT"): Row("opening-hours", 200, {"name": "Shop"}),
    ("opening-hours-detail", "PATCH"): Row("opening-hours", 200, {"holidays_country": "BR"}),
    ("opening-hours-detail", "DELETE"): Row("opening-hours", 204),
    ("special-days-list", "GET"): Row("opening-hours", 200),
    ("special-days-list", "POST"): Row("opening-hours", 201, {"date": "2026-12-31"}),
    ("special-days-detail", "GET"): Row("opening-hours", 200),
    ("special-days-detail", "PUT"): Row("opening-hours", 200, {"date": "2026-12-26", "ranges": ["09:00-12:00"]}),
    ("special-days-detail", "PATCH"): Row("opening-hours", 200, {"name": "Stocktaking"}),
    ("special-days-detail", "DELETE"): Row("opening-hours", 204),
    ("dial-rules", "GET"): Row("dial-rules", 200),
    ("dial-rules", "PUT"): Row("dial-rules", 200, {"country": "BR"}),
    ("dial-rules", "PATCH"): Row("dial-rules", 200, {"external_allowed": True}),
    ("dial-rules", "DELETE"): Row("dial-rules", 204),
    ("dials-list", "GET"): Row("dials", 200),
    ("calls-list", "GET"): Row("calls", 200),
    ("calls-detail", "GET"): Row("calls", 200),
    ("call-transcript", "GET"): Row("calls", 200),
    ("call-timeline", "GET"): Row("calls", 200),
    ("call-usage", "GET"): Row("calls", 200),
    ("call-recording", "GET"): Row("recordings", 200),
    ("messages-list", "GET"): Row("messages", 200),
    ("messages-detail", "GET"): Row("messages", 200),
    ("messages-detail", "PATCH"): Row("messages", 200, {"read": True}),
    ("message-audio", "GET"): Row("messages", 200),
    ("callbacks-list", "GET"): Row("callbacks", 200),
    ("callbacks-list", "POST"): Row("callbacks", 201, {"number": "1001", "consent": {}}),
    ("callbacks-detail", "GET"): Row("callbacks", 200),
    ("callbacks-detail", "PATCH"): Row("callbacks", 200, {"name": "Ana"}),
    ("callbacks-detail", "DELETE"): Row("callbacks", 204),
    ("callback-place", "POST"): Row("callbacks", 202, body_for="place"),
    ("calling-rules", "GET"): Row("calling-rules", 200),
    ("calling-rules", "PUT"): Row("calling-rules", 200, {"ring_s": 20}),
    ("calling-rules", "PATCH"): Row("calling-rules", 200, {"automatic": False}),
    ("calling-rules", "DELETE"): Row("calling-rules", 204),
    ("jobs-list", "GET"): Row("jobs", 200),
    ("jobs-list", "POST"): Row("jobs", 202, {"kind": "originate", "number": "1001"}),
    ("jobs-detail", "GET"): Row("jobs", 200),
    ("jobs-detail", "DELETE"): Row("jobs", 204),
    ("api-keys-list", "GET"): Row("api-keys", 200),
    ("api-keys-list", "POST"): Row("api-keys", 201, {"name": "k", "scopes": ["calls:read"]}),
    ("api-keys-detail", "GET"): Row("api-keys", 200),
    ("api-keys-detail", "PATCH"): Row("api-keys", 200, {"name": "renamed"}),
    ("api-keys-detail", "DELETE"): Row("api-keys", 204),
    ("api-key-rotate", "POST"): Row("api-keys", 201, {}),
    ("installation-providers-list", "GET"): Row("providers", 200, operator_only=True),
    ("installation-providers-detail", "GET"): Row("providers", 200, operator_only=True),
    ("installation-providers-detail", "PUT"): Row("providers", 200, {"api_key": "AIza-not-one"}, operator_only=True),
    ("installation-providers-detail", "DELETE"): Row("providers", 204, operator_only=True),
    ("installation-keys-list", "GET"): Row("api-keys", 200, operator_only=True),
    ("installation-keys-list", "POST"): Row("api-keys", 201, {"name": "k", "scopes": ["*"]}, operator_only=True),
    ("installation-keys-detail", "GET"): Row("api-keys", 200, operator_only=True),
    ("installation-keys-detail", "PATCH"): Row("api-keys", 200, {"name": "renamed"}, operator_only=True),
    ("installation-keys-detail", "DELETE"): Row("api-keys", 204, operator_only=True),
    ("installation-key-rotate", "POST"): Row("api-keys", 201, {}, operator_only=True),
    ("provision-domain", "PUT"): Row("provision", 200, {"secretaries": [SECRETARY]}),
    ("provision", "POST"): Row("provision", 207, {"domains": [{}]}, operator_only=True),
    ("webhooks-list", "GET"): Row("webhooks", 200),
    ("webhooks-list", "POST"): Row("webhooks", 201, HOOK),
    ("webhooks-detail", "GET"): Row("webhooks", 200),
    ("webhooks-detail", "PUT"): Row("webhooks", 200, HOOK),
    ("webhooks-detail", "PATCH"): Row("webhooks", 200, {"enabled": True}),
    ("webhooks-detail", "DELETE"): Row("webhooks", 204),
    ("webhook-rotate", "POST"): Row("webhooks", 201, {}),
    ("webhook-ping", "POST"): Row("webhooks", 202, {}),
    ("webhook-replay", "POST"): Row("webhooks", 202, LONG_AGO),
    ("webhook-deliveries", "GET"): Row("webhooks", 200),
    ("webhook-delivery-replay", "POST"): Row("webhooks", 202, {}),
    ("tools-list", "GET"): Row("tools", 200),
    ("tools-list", "POST"): Row("tools", 201, TOOL),
    ("tools-detail", "GET"): Row("tools", 200),
    ("tools-detail", "PUT"): Row("tools", 200, TOOL),
    ("tools-detail", "PATCH"): Row("tools", 200, {"enabled": False}),
    ("tools-detail", "DELETE"): Row("tools", 204),
    ("tool-rotate", "POST"): Row("tools", 201, {}),
    ("tool-try", "POST"): Row("tools", 200, {"arguments": {}}),
    ("prompts-list", "GET"): Row("secretaries", 200),
    ("prompts-list", "POST"): Row("secretaries", 201, body_for="prompt"),
    ("prompts-detail", "GET"): Row("secretaries", 200),
    ("prompts-detail", "PATCH"): Row("secretaries", 200, {"name": "Summer"}),
    ("prompt-restore", "POST"): Row("secretaries", 201, {}),
    ("caller-facts-list", "GET"): Row("caller-facts", 200),
    ("caller-facts-detail", "GET"): Row("caller-facts", 200),
    ("caller-facts-detail", "DELETE"): Row("caller-facts", 204),
    ("caller-facts-forget", "POST"): Row("caller-facts", 200, {"number": "+5511987650002"}),
    ("caller-requests-list", "GET"): Row("caller-requests", 200),
    ("caller-requests-list", "POST"): Row("caller-requests", 201, {"kind": "erase", "number": "+5511987650001"}),
    ("caller-requests-detail", "GET"): Row("caller-requests", 200),
    ("caller-export", "GET"): Row("caller-requests", 200),
    ("quota", "GET"): Row("quota", 200),
    ("quota", "PUT"): Row("quota", 200, {"minutes_per_day": 60}, operator_only=True),
    ("quota", "PATCH"): Row("quota", 200, {"minutes_per_day": 60}, operator_only=True),
    ("data-rules", "GET"): Row("data-rules", 200),
    ("data-rules", "PUT"): Row("data-rules", 200, {"messages_days": 30}),
    ("data-rules", "PATCH"): Row("data-rules", 200, {"messages_days": 30}),
    ("audit-list", "GET"): Row("audit", 200),
    ("usage", "GET"): Row("usage", 200),
    ("health", "GET"): Row("", 200),
    ("me", "GET"): Row("", 200),
}
MAKES: Final = frozenset(
    {
        "secretaries-detail",
        "extensions-detail",
        "destinations-detail",
        "webhooks-detail",
        "tools-detail",
        "providers-detail",
        "opening-hours-detail",
        "special-days-detail",
    }
)
"""Where PUT makes what is missing."""


def routes() -> list[tuple[URLPattern, str]]:
    """Every address and method of the API."""
    found = []
    for pattern in urlpatterns:
        if pattern.name in UNGUARDED:
            continue
        view: Any = pattern.callback
        if getattr(view, "actions", None):
            methods = [method.upper() for method in view.actions]
        else:
            methods = [m for m in ("GET", "POST", "PUT", "PATCH", "DELETE") if hasattr(view.view_class, m.lower())]
        found += [(pattern, method) for method in methods if method != "HEAD"]
    return found


def address(pattern: URLPattern, objects: dict[str, UUID]) -> str:
    text = str(pattern.pattern).replace("<slug:provider>", "gemini-live")
    for name, value in objects.items():
        text = text.replace(f"<uuid:{name}>", str(value))
    assert "<" not in text, text
    return text


def parameters(pattern: URLPattern) -> list[str]:
    return list(pattern.pattern.converters)


def test_every_route_has_a_row() -> None:
    """And no row is for a route that is gone."""
    assert {(str(pattern.name), method) for pattern, method in routes()} == set(ROWS)


IDS = [f"{method} {pattern.name}" for pattern, method in routes()]
SEEN: Counter[int] = Counter()


def send(api: Api, method: str, where: str, row: Row, bodies: dict[str, Any]) -> int:
    body = bodies[row.body_for] if row.body_for else row.body
    headers = {"If_Match": "*"} if method in ("PATCH", "DELETE") else {}
    status: int = api.send(method, where, body, **headers).status_code
    SEEN[status] += 1
    return status


def objects_of(cast: Cast, pattern: URLPattern) -> dict[str, UUID]:
    """The objects that an address names; an installation key's UUID where it is about those."""
    if str(pattern.name).startswith("installation-providers"):
        save_installation(provider="gemini-live", api_key="AIza-not-a-real-one")
    if str(pattern.name).startswith("installation-key") and "key_uuid" in parameters(pattern):
        with platform_context():
            spare = InstallationKey.objects.filter(name="spare").first()
        if spare is None:
            spare = issue_installation_key(name="spare", scopes=["*"]).key  # type: ignore[assignment]
        assert spare is not None
        return {**cast.objects, "key_uuid": spare.key_uuid}
    return cast.objects


def expected(row: Row, method: str) -> tuple[str, str]:
    return row.scope, "read" if method == "GET" else "write"


@pytest.mark.parametrize(("pattern", "method"), routes(), ids=IDS)
def test_own_objects(pattern: URLPattern, method: str, ours: Cast) -> None:
    """Whoever has the scope may; whoever has not may not; nobody at all is asked who they are."""
    row = ROWS[str(pattern.name), method]
    scope, verb = expected(row, method)
    domain_uuid = ours.tenant.domain_uuid
    where = address(pattern, objects_of(ours, pattern))

    def answer(api: Api) -> int:
        return send(api, method, where, row, ours.bodies)

    assert answer(Api()) == 401
    assert answer(bearer("vsi_" + "x" * 10 + "_" + "y" * 43)) == 401
    other = "jobs:read" if scope != "jobs" else "usage:read"
    allowed_anyway = not scope
    assert answer(bearer(domain_key(domain_uuid, other))) == (row.ok if allowed_anyway else 403)
    assert answer(bearer(installation_key(other))) == (row.ok if allowed_anyway else 403)
    if verb == "write":
        assert answer(bearer(domain_key(domain_uuid, "*:read"))) == 403
        assert answer(bearer(installation_key(f"{scope}:read"))) == 403
    token = installation_key()
    narrowed = assertion(token, domain_uuid, scp=[f"{scope}:{verb}"] if scope else [])
    if row.operator_only:
        assert answer(bearer(domain_key(domain_uuid))) == 403
        assert answer(narrowed) == 403
        assert answer(bearer(installation_key("*" if method == "POST" else f"{scope}:{verb}"))) == row.ok
        return
    # Who may make keys may not give them more than is held.
    beyond = pattern.name in ("api-keys-list", "api-key-rotate") and method == "POST"
    assert answer(narrowed) == (400 if beyond else row.ok)
    if method != "GET":
        return
    assert answer(bearer(domain_key(domain_uuid, f"{scope}:read" if scope else "me:read"))) == row.ok
    assert answer(bearer(domain_key(domain_uuid, "*:read"))) == row.ok
    assert answer(bearer(installation_key())) == row.ok


@pytest.mark.parametrize(("pattern", "method"), routes(), ids=IDS)
def test_it_works_for_a_domain_key(pattern: URLPattern, method: str, ours: Cast) -> None:
    """With exactly the scope that is wanted."""
    row = ROWS[str(pattern.name), method]
    scope, verb = expected(row, method)
    scopes = ["*"] if "key" in str(pattern.name) else [f"{scope}:{verb}"] if scope else ["usage:read"]
    if row.operator_only:
        api = bearer(installation_key(*scopes))
    else:
        api = bearer(domain_key(ours.tenant.domain_uuid, *scopes))
    assert send(api, method, address(pattern, objects_of(ours, pattern)), row, ours.bodies) == row.ok


@pytest.mark.parametrize(("pattern", "method"), routes(), ids=IDS)
def test_foreign_and_missing_objects(pattern: URLPattern, method: str, ours: Cast, theirs: Cast) -> None:
    """Another domain's object is as absent as one that never was: 404 for every kind of key, on every route."""
    row = ROWS[str(pattern.name), method]
    names = parameters(pattern)
    mine, foreign = ours.tenant.domain_uuid, theirs.tenant.domain_uuid
    token = installation_key()
    keys = {"domain": bearer(domain_key(mine)), "installation": bearer(token)}
    if "domain_uuid" not in names:
        if "key_uuid" in names:
            missing = address(pattern, {"key_uuid": uuid4()})
            assert send(keys["installation"], method, missing, row, ours.bodies) == 404
        return

    # The whole address is somebody else's, or nobody's.
    for domain_uuid in (foreign, uuid4()):
        where = address(pattern, {**theirs.objects, "domain_uuid": domain_uuid})
        for api in (keys["domain"], assertion(token, mine)):
            assert send(api, method, where, row, theirs.bodies) == 404
    nowhere = address(pattern, {**theirs.objects, "domain_uuid": uuid4()})
    if (pattern.name, method) not in {("domains-detail", "PUT"), ("provision-domain", "PUT")}:
        assert send(keys["installation"], method, nowhere, row, theirs.bodies) == 404

    # The domain is right, the object is not.
    inner = [name for name in names if name != "domain_uuid"]
    for name in inner:
        stolen = address(pattern, {**ours.objects, name: theirs.objects[name]})
        for api in (*keys.values(), assertion(token, mine)):
            assert send(api, method, stolen, row, ours.bodies) == 404
        made = (201, 400) if pattern.name in MAKES and method == "PUT" else (404,)
        for api in keys.values():
            absent = address(pattern, {**ours.objects, name: uuid4()})
            assert send(api, method, absent, row, ours.bodies) in made


PEOPLE: Final = ("admin", "agent", "viewer", "stranger", "operator")


@pytest.mark.parametrize("who", PEOPLE)
def test_people_of_the_panel(who: str, ours: Cast, theirs: Cast) -> None:
    """A session may what its role may: everything, to read, or (an agent) nothing; and nothing anywhere else."""
    user = get_user_model().objects.create_user("alice", is_superuser=who == "operator")
    if who in ("admin", "agent", "viewer"):
        add_member(domain_uuid=ours.tenant.domain_uuid, user_id=user.pk, role=who)
    browser = Client()
    browser.force_login(user)
    api = Api("", browser)
    for pattern, method in routes():
        row = ROWS[str(pattern.name), method]
        scope, verb = expected(row, method)
        if method == "DELETE" or (pattern.name in ("api-key-rotate", "installation-key-rotate")):
            continue  # They would take away what the next route needs; the scopes above are the same.
        status = send(api, method, address(pattern, objects_of(ours, pattern)), row, ours.bodies)
        sees = who == "viewer" and verb == "read" and scope not in NOT_FOR_EVERY_ROLE
        if not scope or who == "operator":
            allowed = True
        elif who == "stranger" and "domain_uuid" in parameters(pattern):
            assert status == 404, (pattern.name, method)
            continue
        elif row.operator_only or pattern.name == "domains-list":
            allowed = False
        else:
            allowed = who == "admin" or sees
        assert status == 403 if not allowed else status in (row.ok, 201, 400), (pattern.name, method, status)
        if "domain_uuid" in parameters(pattern) and who != "operator":
            elsewhere = address(pattern, theirs.objects)
            assert send(api, method, elsewhere, row, theirs.bodies) == 404, (pattern.name, method)


def test_a_session_needs_a_csrf_token(ours: Cast) -> None:
    """A form on another site may not write with the visitor's cookie."""
    user = get_user_model().objects.create_user("alice")
    add_member(domain_uuid=ours.tenant.domain_uuid, user_id=user.pk, role="admin")
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    where = f"domains/{ours.tenant.domain_uuid}/secretaries"
    assert Api("", browser).get(where).status_code == 200
    answer = Api("", browser).post(where, SECRETARY)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_what_is_foreign_is_untouched(ours: Cast, theirs: Cast) -> None:
    """After all of that the other domain's message is still unread."""
    api = bearer(domain_key(ours.tenant.domain_uuid))
    where = f"domains/{ours.tenant.domain_uuid}/messages/{theirs.objects['message_uuid']}"
    assert api.patch(where, {"read": True}, If_Match="*").status_code == 404
    with tenant_context(theirs.tenant.domain_uuid):
        assert Message.objects.get().read_at is None


def test_zz_count(capsys: pytest.CaptureFixture[str]) -> None:
    """How many answers of which status the tests of this file got."""
    statuses = dict(sorted(SEEN.items()))
    with capsys.disabled():
        print(f"\n[api] {len(ROWS)} routes, {sum(SEEN.values())} requests, {SEEN[404]} of them 404: {statuses}")
