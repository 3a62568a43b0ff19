"""Every route by every role by own, foreign and missing object: who gets what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse

from secretary.panel.urls import urlpatterns
from tests.secretary.panel.cast import NOBODY, Cast, House

ROLES = ("admin", "agent", "viewer")


@dataclass(frozen=True)
class Row:
    """Expected status of GET and of an empty POST, for administrator, agent and read-only member in that order."""

    get: str
    post: str
    operator: tuple[int, int] | None = None
    """GET and POST of the installation's operator, where they may more than an administrator."""


# A signed-in stranger gets 404 and a stranger to us all goes to sign in, on each of these; the operator is as an
# administrator. 422: the empty form is refused with words; 405: the address does not take that method.
IN_A_DOMAIN = {
    "panel:home": Row("200 200 200", "405 405 405"),
    "panel:calls": Row("200 200 200", "405 405 405"),
    "panel:call": Row("200 200 200", "405 405 405"),
    "panel:recording": Row("200 200 200", "405 405 405"),
    "panel:call-dial": Row("405 405 405", "302 302 403"),
    "panel:callbacks": Row("200 200 200", "405 405 405"),
    "panel:callback-new": Row("200 200 403", "422 422 403"),
    "panel:calling-rules": Row("200 403 403", "422 403 403"),
    "panel:callback": Row("200 200 200", "405 405 405"),
    "panel:callback-change": Row("200 200 403", "422 422 403"),
    "panel:callback-place": Row("405 405 405", "302 302 403"),
    "panel:callback-done": Row("405 405 405", "302 302 403"),
    "panel:callback-cancel": Row("405 405 405", "302 302 403"),
    "panel:jobs": Row("200 403 200", "405 405 405"),
    "panel:job-cancel": Row("405 405 405", "302 403 403"),
    "panel:message-dial": Row("405 405 405", "302 302 403"),
    "panel:messages": Row("200 200 200", "405 405 405"),
    "panel:message-audio": Row("200 200 200", "405 405 405"),
    "panel:message-mark": Row("405 405 405", "302 302 403"),
    "panel:secretaries": Row("200 403 200", "405 405 405"),
    "panel:secretary-new": Row("200 403 403", "422 403 403"),
    "panel:secretary": Row("200 403 200", "422 403 403"),
    "panel:secretary-delete": Row("200 403 403", "302 403 403"),
    "panel:prompts": Row("200 403 200", "405 405 405"),
    "panel:prompt-restore": Row("405 405 405", "302 403 403"),
    "panel:prompt-name": Row("405 405 405", "302 403 403"),
    "panel:secretary-test": Row("200 403 403", "422 403 403"),
    "panel:destinations": Row("200 403 200", "405 405 405"),
    "panel:destination-new": Row("200 403 403", "422 403 403"),
    "panel:destination": Row("200 403 200", "422 403 403"),
    "panel:destination-delete": Row("200 403 403", "302 403 403"),
    "panel:extensions": Row("200 403 200", "405 405 405"),
    "panel:extension-new": Row("200 403 403", "422 403 403"),
    "panel:extension": Row("200 403 200", "422 403 403"),
    "panel:extension-delete": Row("200 403 403", "302 403 403"),
    "panel:hours": Row("200 403 200", "405 405 405"),
    "panel:hours-new": Row("200 403 403", "422 403 403"),
    "panel:opening-hours": Row("200 403 200", "422 403 403"),
    "panel:hours-delete": Row("200 403 403", "302 403 403"),
    "panel:special-day-new": Row("200 403 403", "422 403 403"),
    "panel:special-day": Row("200 403 200", "422 403 403"),
    "panel:special-day-delete": Row("200 403 403", "302 403 403"),
    "panel:connection": Row("200 403 403", "422 403 403"),
    "panel:dialling": Row("200 403 200", "405 405 405"),
    "panel:dial-rules": Row("200 403 403", "422 403 403"),
    "panel:services": Row("200 403 403", "405 405 405"),
    "panel:service-new": Row("200 403 403", "422 403 403"),
    "panel:service": Row("200 403 403", "409 403 403"),
    "panel:service-delete": Row("200 403 403", "302 403 403"),
    "panel:service-test": Row("405 405 405", "302 403 403"),
    "panel:tools": Row("200 403 403", "405 405 405"),
    "panel:tool-new": Row("200 403 403", "422 403 403"),
    "panel:tool": Row("200 403 403", "422 403 403"),
    "panel:tool-delete": Row("200 403 403", "302 403 403"),
    "panel:tool-secret": Row("200 403 403", "422 403 403"),
    "panel:tool-try": Row("200 403 403", "200 403 403"),
    "panel:webhooks": Row("200 403 403", "405 405 405"),
    "panel:webhook-new": Row("200 403 403", "422 403 403"),
    "panel:webhook": Row("200 403 403", "405 405 405"),
    "panel:webhook-settings": Row("200 403 403", "422 403 403"),
    "panel:webhook-delete": Row("200 403 403", "302 403 403"),
    "panel:webhook-secret": Row("200 403 403", "422 403 403"),
    "panel:webhook-ping": Row("405 405 405", "302 403 403"),
    "panel:webhook-replay": Row("200 403 403", "422 403 403"),
    "panel:delivery": Row("200 403 403", "405 405 405"),
    "panel:delivery-again": Row("405 405 405", "302 403 403"),
    "panel:usage": Row("200 403 200", "405 405 405"),
    "panel:quotas": Row("403 403 403", "403 403 403", operator=(200, 422)),
    "panel:data": Row("200 403 403", "405 405 405"),
    "panel:data-rules": Row("200 403 403", "302 403 403"),
    "panel:caller-facts": Row("200 403 403", "405 405 405"),
    "panel:caller-forget": Row("405 405 405", "302 403 403"),
    "panel:caller-fact-remove": Row("405 405 405", "302 403 403"),
    "panel:data-export": Row("200 403 403", "422 403 403"),
    "panel:data-erase": Row("200 403 403", "422 403 403"),
    "panel:data-download": Row("200 403 403", "405 405 405"),
    "panel:people": Row("200 403 403", "405 405 405"),
    "panel:invite": Row("200 403 403", "422 403 403"),
    "panel:rule": Row("200 403 403", "409 403 403"),
    "panel:member": Row("200 403 403", "422 403 403"),
    "panel:member-remove": Row("200 403 403", "302 403 403"),
    "panel:invitation-resend": Row("405 405 405", "200 403 403"),
    "panel:invitation-revoke": Row("405 405 405", "302 403 403"),
    "panel:record": Row("200 403 403", "405 405 405"),
    "panel:record-export": Row("200 403 403", "405 405 405"),
}

# The second of two administrators finds nothing left, or that the first one has changed it.
ONCE = ("-delete", "-remove", "-revoke", ":data-rules")

# Outside of every domain: (GET, POST) for the operator, for somebody signed in, and for nobody.
OUTSIDE = {
    "login": ((302, 302), (302, 302), (200, 200)),
    "second-step": ((302, 302), (302, 302), (302, 302)),
    "forgotten": ((200, 422), (200, 422), (200, 422)),
    "reset": ((200, 200), (200, 200), (200, 200)),
    "invitation": ((404, 404), (404, 404), (404, 404)),
    "open-invitation": ((302, 302), (302, 302), (302, 302)),
    "logout": ((405, 302), (405, 302), (405, 302)),
    "set_language": ((302, 302), (302, 302), (302, 302)),
    "panel:start": ((302, 405), (302, 405), (302, 302)),
    "panel:domains": ((200, 405), (200, 405), (302, 302)),
    "panel:account": ((200, 405), (200, 405), (302, 302)),
    "panel:password": ((200, 422), (200, 422), (302, 302)),
    "panel:second-factor": ((200, 422), (200, 422), (302, 302)),
    "panel:second-factor-off": ((302, 302), (302, 302), (302, 302)),
    "panel:recovery-codes": ((302, 302), (302, 302), (302, 302)),
    "panel:session-end": ((405, 404), (405, 404), (302, 302)),
    "panel:sessions-end": ((405, 302), (405, 302), (302, 302)),
    "panel:everybody": ((200, 405), (404, 404), (302, 302)),
    "panel:person": ((200, 405), (404, 404), (302, 302)),
    "panel:person-sign-out": ((405, 302), (404, 404), (302, 302)),
    "panel:person-second-factor": ((405, 302), (404, 404), (302, 302)),
    "panel:person-switch": ((405, 302), (404, 404), (302, 302)),
    "panel:person-reset-link": ((405, 200), (404, 404), (302, 302)),
    "panel:platform-services": ((200, 405), (404, 404), (302, 302)),
    "panel:platform-service": ((200, 422), (404, 404), (302, 302)),
    "panel:platform-service-remove": ((405, 302), (404, 404), (302, 302)),
    "panel:platform-service-test": ((405, 302), (404, 404), (302, 302)),
    "panel:operators": ((200, 405), (404, 404), (302, 302)),
    "panel:operator-invite": ((200, 422), (404, 404), (302, 302)),
    "panel:operator-remove": ((405, 404), (404, 404), (302, 302)),
    "panel:operator-resend": ((405, 404), (404, 404), (302, 302)),
    "panel:operator-revoke": ((405, 404), (404, 404), (302, 302)),
    "panel:installation-record": ((200, 405), (404, 404), (302, 302)),
    "panel:installation-record-export": ((200, 405), (404, 404), (302, 302)),
}


@dataclass(frozen=True)
class Route:
    """A name in the URL map and what its address takes."""

    name: str
    takes: frozenset[str]

    def address(self, house: House, **others: object) -> str:
        values = house.args() | others
        return reverse(self.name, kwargs={name: values[name] for name in self.takes})

    @property
    def objects(self) -> list[str]:
        return sorted(self.takes - {"domain_uuid"})


def walk(
    patterns: list[URLPattern | URLResolver], prefix: str = "", takes: frozenset[str] = frozenset()
) -> Iterator[Route]:
    """Every route of a URL map."""
    for entry in patterns:
        inside = takes | set(entry.pattern.regex.groupindex)
        if isinstance(entry, URLResolver):
            yield from walk(entry.url_patterns, f"{entry.namespace}:" if entry.namespace else prefix, inside)
        else:
            yield Route(f"{prefix}{entry.name}", inside)


ROUTES = {route.name: route for route in walk(urlpatterns)}
INSIDE = [route for route in ROUTES.values() if "domain_uuid" in route.takes]


def expected(name: str, method: str) -> dict[str, int]:
    statuses = [int(status) for status in getattr(IN_A_DOMAIN[name], method).split()]
    by_role = dict(zip(ROLES, statuses, strict=True))
    own = IN_A_DOMAIN[name].operator
    operator = own[method == "post"] if own is not None else by_role["admin"]
    return {**by_role, "operator": operator, "stranger": 404, "anonymous": 302}


def test_every_route_has_a_row() -> None:
    """A new route without a row here fails."""
    assert set(ROUTES) == set(IN_A_DOMAIN) | set(OUTSIDE)
    assert {route.name for route in INSIDE} == set(IN_A_DOMAIN)


EVERYBODY = (*ROLES, "operator", "stranger", "anonymous")


def check_own(route: Route, method: str, role: str, client: Client, cast: Cast) -> None:
    status = expected(route.name, method)[role]
    response = getattr(client, method)(route.address(cast.acme))
    assert response.status_code == status, f"{role} {method} {route.name}: {response.status_code}"
    if role == "anonymous":
        assert response["Location"].startswith(reverse("login"))


@pytest.mark.parametrize("role", EVERYBODY)
def test_own_pages(role: str, cast: Cast, sign_in: Callable[[str], Client]) -> None:
    """Each role sees what its rows say; a stranger 404; nobody the way to sign in."""
    client = sign_in(role)
    for route in INSIDE:
        check_own(route, "get", role, client, cast)


@pytest.mark.parametrize("route", INSIDE, ids=lambda route: route.name)
def test_own_forms(route: Route, cast: Cast, sign_in: Callable[[str], Client]) -> None:
    """Likewise for what they send."""
    # The administrator last: what it deletes is gone for the others.
    for role in sorted(EVERYBODY, key=lambda role: role in ("admin", "operator")):
        if role != "operator" or not route.name.endswith(ONCE):
            check_own(route, "post", role, sign_in(role), cast)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("role", EVERYBODY)
def test_foreign_and_missing(role: str, method: str, cast: Cast, sign_in: Callable[[str], Client]) -> None:
    """Another tenant's object under one's own domain is as absent as none at all; so is another tenant's domain."""
    client = sign_in(role)

    def asked(route: Route, **others: object) -> int:
        house = others.pop("house", cast.acme)
        assert isinstance(house, House)
        return int(getattr(client, method)(route.address(house, **others)).status_code)

    for route in INSIDE:
        status = expected(route.name, method)[role]
        # What a role may not do at all is said before anything is looked up, and tells nothing.
        absent = status if status in (403, 405) or role == "anonymous" else 404
        for name in route.objects:
            for uuid in (cast.globex.objects[name], NOBODY):
                assert asked(route, **{name: uuid}) == absent, f"{role} {method} {route.name} {name}"
        assert asked(route, domain_uuid=NOBODY) == (302 if role == "anonymous" else 404)
        if role in ROLES:
            assert asked(route, house=cast.globex) == 404


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_other_methods(method: str, cast: Cast, alice: Client) -> None:
    """Nothing but GET, HEAD and POST does anything."""
    for route in INSIDE:
        assert getattr(alice, method)(route.address(cast.acme)).status_code == 405, route.name


@pytest.mark.parametrize("name", OUTSIDE)
def test_outside(name: str, cast: Cast, sign_in: Callable[[str], Client]) -> None:
    """One's own account, for everybody; the installation, for operators, and absent for all others."""
    values = {"user_id": cast.people["viewer"].pk, "uidb64": "AA", "token": "nothing", "provider": "gemini-live"}
    kwargs = {taken: values.get(taken, NOBODY) for taken in ROUTES[name].takes}
    by_role = dict(zip(("operator", "admin", "anonymous"), OUTSIDE[name], strict=True))
    for role in ("admin", "agent", "viewer", "stranger", "anonymous", "operator"):
        for method, status in zip(("get", "post"), by_role.get(role, by_role["admin"]), strict=True):
            response = getattr(sign_in(role), method)(reverse(name, kwargs=kwargs))
            assert response.status_code == status, f"{role} {method} {name}: {response.status_code}"


def test_switched_off_domain(cast: Cast, alice: Client) -> None:
    """A domain that is switched off is absent for everybody in it."""
    cast.acme.domain.enabled = False
    from tenants.context import tenant_context

    with tenant_context(cast.acme.domain.pk):
        cast.acme.domain.save()
    assert alice.get(reverse("panel:home", args=[cast.acme.domain.pk])).status_code == 404
    assert cast.acme.domain.name not in alice.get(reverse("panel:domains")).content.decode()


def test_refusal_is_told(cast: Cast, sign_in: Callable[[str], Client]) -> None:
    """The 403 says which role one has, and whom to ask."""
    response = sign_in("viewer").get(reverse("panel:secretary-new", args=[cast.acme.domain.pk]))
    text = response.content.decode()
    assert response.status_code == 403 and "Read only" in text and "Ask an administrator" in text


def test_csrf(cast: Cast) -> None:
    """A POST without the form's token changes nothing, and says what to do."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.people["admin"])
    address = reverse("panel:secretary-delete", args=[cast.acme.domain.pk, cast.acme.objects["secretary_uuid"]])
    response = client.post(address)
    assert response.status_code == 403 and "This form is too old" in response.content.decode()
    assert client.get(address).status_code == 200
