"""Every address of `web`, in one place: each is in a matrix of rights or on the list of what is for everybody, and a
foreign object is absent on all of them, for everybody who could see it were it theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import get_resolver

from tests.secretary.api.cast import Cast, cast_of
from tests.secretary.api.client import Api, assertion, bearer, domain_key, installation_key
from tests.secretary.api.test_every_route import MAKES, ROWS, address, parameters, routes, send
from tests.secretary.panel.cast import Cast as PanelCast
from tests.secretary.panel.conftest import cast, data_dir, no_node, sign_in
from tests.secretary.panel.test_access import IN_A_DOMAIN, INSIDE, OUTSIDE, Route, walk

__all__ = ["cast", "data_dir", "no_node", "sign_in"]


@pytest.fixture(scope="module")
def stage() -> None:
    """The API's own tenants have the same names here: each test has a cast of its own."""


FOR_EVERYBODY: Final = frozenset({"livez", "readyz", "api:openapi", "api:docs", "api:nowhere"})
"""No object of anybody's behind them. Static files come from WhiteNoise, which has no route: see test_slow_and_many."""

WHOLE: Final = list(walk(get_resolver().url_patterns))


def test_no_route_is_forgotten(capsys: pytest.CaptureFixture[str]) -> None:
    """A new route fails here until the panel's matrix, the API's, or the list above has it; so does a row too many."""
    api = {f"api:{name}" for name, _method in ROWS}
    panel = set(IN_A_DOMAIN) | set(OUTSIDE)
    assert {route.name for route in WHOLE} == api | panel | FOR_EVERYBODY
    # What has a domain in its address is in a matrix with foreign objects, and not among what is outside of domains.
    in_domain = {route.name for route in WHOLE if "domain_uuid" in route.takes}
    assert in_domain <= api | set(IN_A_DOMAIN)
    assert not [route.name for route in WHOLE if route.name in FOR_EVERYBODY and route.takes]
    with capsys.disabled():
        print(f"\n[map] {len(WHOLE)} routes: {len(panel)} panel, {len(api)} API, {len(FOR_EVERYBODY)} for everybody")


class Count:
    """What was asked, and what it was answered."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()

    def note(self, status: int) -> int:
        self.statuses[status] += 1
        return status

    def __str__(self) -> str:
        total = sum(self.statuses.values())
        return f"{total} checks (route x role x foreign object), {self.statuses[404]} of them 404: " + str(
            dict(sorted(self.statuses.items()))
        )


ROLES: Final = ("admin", "agent", "viewer", "stranger", "operator", "anonymous")


def test_panel(cast: PanelCast, sign_in: Callable[[str], Client], capsys: pytest.CaptureFixture[str]) -> None:
    """404 for whoever could have it were it theirs; never anything but a refusal for anybody."""
    count = Count()
    clients = {role: sign_in(role) for role in ROLES}

    def addresses(route: Route, role: str) -> list[str]:
        found = [route.address(cast.acme, **{name: cast.globex.objects[name]}) for name in route.objects]
        if role == "operator":  # sees every domain, and no object under another's address
            return found
        # The stranger is globex's administrator: acme is what is foreign to them.
        return [*found, route.address(cast.acme if role == "stranger" else cast.globex)]

    for route in (route for route in INSIDE if route.name in IN_A_DOMAIN):  # the test above tells of others
        for method in ("get", "post"):
            allowed = dict(zip(ROLES, getattr(IN_A_DOMAIN[route.name], method).split(), strict=False))
            for role, client in clients.items():
                for where in addresses(route, role):
                    status = count.note(getattr(client, method)(where).status_code)
                    right = allowed.get(role, allowed["admin"] if role == "operator" else "")
                    if role == "anonymous":
                        assert status == 302, (role, method, where)
                    elif str(cast.globex.domain.pk) in where or role == "stranger":
                        assert status == 404, (role, method, where)
                    else:
                        assert status == (int(right) if right in ("403", "405") else 404), (role, method, where)
    with capsys.disabled():
        print(f"\n[panel] {count}")


def test_api(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    """For a domain's key, the installation's, and FusionPBX's assertion: 404. Only PUT makes, and never in a foreign
    domain."""
    ours, theirs = cast_of("acme.example"), cast_of("globex.example")
    count = Count()
    mine = ours.tenant.domain_uuid
    token = installation_key()
    domain_api, operator_api = bearer(domain_key(mine)), bearer(token)
    keys: dict[str, Callable[[], Api]] = {
        "domain": lambda: domain_api,
        "installation": lambda: operator_api,
        "assertion": lambda: assertion(token, mine),
    }

    def ask(pattern: Any, method: str, objects: dict[str, Any], kind: str, bodies: Cast) -> int:
        row = ROWS[str(pattern.name), method]
        return count.note(send(keys[kind](), method, address(pattern, objects), row, bodies.bodies))

    for pattern, method in routes():
        names = parameters(pattern)
        if "domain_uuid" not in names:
            continue
        for kind in keys:
            if kind != "installation":
                assert ask(pattern, method, theirs.objects, kind, theirs) == 404, (pattern, method, kind)
            for name in set(names) - {"domain_uuid"}:
                stolen = {**ours.objects, name: theirs.objects[name]}
                assert ask(pattern, method, stolen, kind, ours) == 404, (pattern, method, kind, name)
                if (pattern.name, method) not in {(made, "PUT") for made in MAKES}:
                    absent = {**ours.objects, name: uuid4()}
                    assert ask(pattern, method, absent, kind, ours) == 404, (pattern, method, kind, name)
    with capsys.disabled():
        print(f"\n[api] {count}")


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stolen", ["../../../etc/passwd", "/etc/passwd", "globex/call.wav/../../secret", "..", "\0"])
@pytest.mark.parametrize("name", ["panel:recording", "panel:message-audio"])
def test_no_file_but_ones_own(
    name: str, stolen: str, cast: PanelCast, sign_in: Callable[[str], Client], data_dir: Path
) -> None:
    """A path in a row that leads out of DATA_DIR is not followed, whoever wrote it there."""
    from secretary.models import Call, Message
    from tenants.context import tenant_context

    (data_dir / "secret").write_bytes(b"root:x:0:0")
    if "\0" in stolen:
        stolen = "acme/%00"
    with tenant_context(cast.acme.domain.pk):
        Call.objects.update(recording=stolen)
        Message.objects.update(audio=stolen)
    route = next(route for route in INSIDE if route.name == name)
    answer = sign_in("admin").get(route.address(cast.acme))
    assert answer.status_code == 404
