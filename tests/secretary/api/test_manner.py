"""How conversations go, over the API."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from secretary.models import Destination
from tenants.context import tenant_context
from tests.cast import Tenant
from tests.secretary.api.client import Api


def destination(tenant: Tenant) -> str:
    with tenant_context(tenant.domain_uuid):
        return str(Destination.objects.create(domain_id=tenant.domain_uuid, name="Desk", number="1001").pk)


def test_a_menu_is_stored_as_it_was_given(acme: Tenant, api: Api) -> None:
    """Keys, limits and turns, with their defaults where nothing was said."""
    menu = {"0": {"do": "transfer", "destination_uuid": destination(acme)}, "*": {"do": "repeat"}}
    values = {"name": "Night", "menu": menu, "turn_mode": "provider", "max_cost": "0.5000"}
    made = api.post(f"domains/{acme.domain_uuid}/secretaries", values)
    assert made.status_code == 201, made.json()
    assert made.json()["menu"] == menu and made.json()["turn_mode"] == "provider"
    assert made.json()["max_cost"] == "0.5000" and made.json()["pause_ms"] == 700


def test_a_key_never_leads_into_another_tenant(acme: Tenant, globex: Tenant, api: Api) -> None:
    """Somebody else's destination is one that is not there."""
    theirs = {"0": {"do": "transfer", "destination_uuid": destination(globex)}}
    answer = api.post(f"domains/{acme.domain_uuid}/secretaries", {"name": "Night", "menu": theirs})
    assert answer.status_code == 400 and answer.json()["errors"][0]["field"] == "menu"


@pytest.mark.parametrize(
    "menu",
    [
        {"x": {"do": "end"}},
        {"00": {"do": "end"}},
        {"0": {"do": "explode"}},
        {"0": {"do": "transfer"}},
        {"0": {"do": "transfer", "destination_uuid": "somewhere"}},
        {"0": {"do": "transfer", "destination_uuid": str(uuid4())}},
        {"0": {"do": "end", "destination_uuid": str(uuid4())}},
        {"0": "end"},
        ["end"],
    ],
)
def test_a_menu_that_makes_no_sense_is_refused(menu: Any, acme: Tenant, api: Api) -> None:
    """At its field, and nothing is stored."""
    answer = api.post(f"domains/{acme.domain_uuid}/secretaries", {"name": "Night", "menu": menu})
    assert answer.status_code == 400 and answer.json()["errors"][0]["field"] == "menu", answer.json()
