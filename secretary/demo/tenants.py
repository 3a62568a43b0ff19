"""The demo's two tenants. Same extension, different secretaries: what isolates them is the platform, not the number.

Idempotent: what is there is brought to the state below; what a curious newcomer has added stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction

from eslbridge.services import save_credential
from secretary.models import Destination, ExtensionMapping, Secretary
from secretary.services.destinations import create_destination
from secretary.services.extensions import create_mapping
from secretary.services.secretaries import create_secretary
from tenants.context import tenant_context
from tenants.models.member import Role
from tenants.selectors import find_domain
from tenants.services import add_member, create_domain

EXTENSION = "8001"


@dataclass(frozen=True, slots=True)
class Place:
    name: str
    number: str
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tenant:
    """One demo tenant."""

    domain: str
    secretary: str
    greeting: str
    places: tuple[Place, ...]

    @property
    def user(self) -> str:
        """Who signs in to this tenant's panel."""
        return f"demo@{self.domain}"


@dataclass(frozen=True, slots=True)
class Switch:
    """How the platform reaches the switch."""

    host: str
    port: int
    password: str
    transport: str


PLACES = (
    Place("Sales", "1001", ("sales department", "sales team", "somebody in sales")),
    Place("Support", "1002", ("support team", "technical support", "help desk")),
)
ACME = Tenant("acme.example", "Clara", "Hello, this is Clara at Acme. How can I help you?", PLACES)
GLOBEX = Tenant("globex.example", "Martin", "Good day, Globex, Martin speaking. Who would you like to talk to?", PLACES)
TENANTS = (ACME, GLOBEX)


@transaction.atomic
def seed(tenant: Tenant, switch: Switch, password: str) -> UUID:
    """Make or mend one tenant; gives its domain_uuid. Raises ValidationError."""
    domain = find_domain(name=tenant.domain) or create_domain(name=tenant.domain, max_calls=20)
    save_credential(
        domain_uuid=domain.domain_uuid,
        password=switch.password,
        host=switch.host,
        port=switch.port,
        audio_transport=switch.transport,
        switch_media_host="127.0.0.1",
        node_media_host="",
    )
    with tenant_context(domain.domain_uuid):
        _secretary(tenant)
        for place in tenant.places:
            _destination(place)
    add_member(domain_uuid=domain.domain_uuid, user_id=_user(tenant.user, password), role=Role.ADMIN)
    return domain.domain_uuid


def _secretary(tenant: Tenant) -> None:
    """The secretary at EXTENSION. Recording is on, so that the panel has something to play."""
    if ExtensionMapping.objects.filter(extension=EXTENSION, enabled=True, secretary__enabled=True).exists():
        return
    secretary = Secretary.objects.filter(name=tenant.secretary).first()
    if secretary is None:
        values: dict[str, Any] = {"greeting": tenant.greeting, "silence_s": 5.0, "silence_prompts": 2}
        secretary = create_secretary(name=tenant.secretary, record_calls=True, **values)
    ExtensionMapping.objects.filter(extension=EXTENSION).delete()
    create_mapping(extension=EXTENSION, secretary=secretary)


def _destination(place: Place) -> None:
    if not Destination.objects.filter(number=place.number).exists():
        create_destination(name=place.name, number=place.number, aliases=list(place.aliases))


def _user(name: str, password: str) -> int:
    """A panel user with this password; one that has it already keeps its session."""
    users = get_user_model().objects
    user, _ = users.get_or_create(username=name, defaults={"email": name})
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return int(user.pk)
