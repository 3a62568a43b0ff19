"""The cast of the tests: two tenants who must never meet, each with a secretary at the same extension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from eslbridge.services import save_credential
from secretary.models import Call, Destination, Secretary
from secretary.profiles import SecretaryProfile
from secretary.selectors.calls import resolve_secretary
from secretary.services.calls import open_call
from secretary.services.destinations import create_destination
from secretary.services.extensions import create_mapping
from secretary.services.secretaries import create_secretary
from tenants.context import tenant_context
from tenants.services import create_domain


@dataclass(frozen=True)
class Tenant:
    """A domain with a switch, a secretary at 8001 and one destination."""

    domain_uuid: UUID
    name: str
    secretary: Secretary
    sales: Destination

    def profile(self) -> SecretaryProfile:
        return resolve_secretary(domain_uuid=self.domain_uuid, secretary_uuid=None, extension="8001")

    def call(self, call_uuid: UUID | None = None, **about: Any) -> Call:
        """A call in progress."""
        opened = open_call(profile=self.profile(), call_uuid=call_uuid or uuid4(), node="node-a", **about)
        with tenant_context(self.domain_uuid):
            return Call.objects.get(call_uuid=opened.call_uuid)


def make_tenant(name: str, **domain: Any) -> Tenant:
    """`acme.example` and the like; more keywords are the domain's."""
    row = create_domain(name=name, **domain)
    save_credential(domain_uuid=row.domain_uuid, password=f"password of {name}")
    with tenant_context(row.domain_uuid):
        secretary = create_secretary(name=f"Reception of {name}", greeting="Good morning.")
        create_mapping(extension="8001", secretary=secretary)
        sales = create_destination(name="Sales", aliases=["the sales department"], number="1001", kind="extension")
    return Tenant(row.domain_uuid, name, secretary, sales)


@pytest.fixture
def acme(db: None) -> Tenant:
    return make_tenant("acme.example")


@pytest.fixture
def globex(db: None) -> Tenant:
    return make_tenant("globex.example")
