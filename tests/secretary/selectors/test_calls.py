"""Who answers a call: from channel variables, which may hold anything, to a profile or a typed refusal."""

from __future__ import annotations

from uuid import uuid4

import pytest

from eslbridge.models import EslCredential
from secretary.errors import (
    CallRefused,
    DomainDisabled,
    NoCredential,
    SecretaryDisabled,
    UnknownDomain,
    UnknownSecretary,
    UnmappedExtension,
)
from secretary.models import ExtensionMapping, Secretary
from secretary.selectors.calls import calls_in_progress, owns_call, resolve_secretary
from secretary.services.destinations import create_destination
from tenants.context import in_tenant, in_thread, tenant_context
from tenants.services import update_domain
from tests.cast import Tenant, make_tenant

NOBODY = "00000000-0000-4000-8000-000000000000"
NONSENSE = ["", "acme.example", "8001", "' or true --", "\0", "../..", "x" * 100_000, "\uff11\uff12\uff13", NOBODY]


def test_by_extension_and_by_uuid(acme: Tenant) -> None:
    """The secretary that the dialplan names, or the one at the extension dialled."""
    by_extension = resolve_secretary(domain_uuid=str(acme.domain_uuid), secretary_uuid="", extension="8001")
    by_uuid = resolve_secretary(
        domain_uuid=acme.domain_uuid, secretary_uuid=str(acme.secretary.secretary_uuid), extension="8001"
    )
    assert by_extension == by_uuid
    assert by_uuid.domain_name == "acme.example"
    assert by_uuid.name == "Reception of acme.example"
    assert by_uuid.media.audio_transport == "direct-udp"
    assert (by_uuid.media.switch_media_port_min, by_uuid.media.switch_media_port_max) == (10_000, 10_100)
    [sales] = by_uuid.destinations
    assert (sales.name, sales.aliases, sales.number) == ("Sales", ("the sales department",), "1001")


def test_no_secret_in_the_profile(acme: Tenant) -> None:
    """The password is neither in the profile nor needed for it."""
    with tenant_context(acme.domain_uuid):
        EslCredential.objects.get()
    assert "password of" not in repr(acme.profile())


def test_same_extension_two_tenants(acme: Tenant, globex: Tenant) -> None:
    """8001 is each tenant's own."""
    assert acme.profile().secretary_uuid != globex.profile().secretary_uuid
    with pytest.raises(UnknownSecretary):
        resolve_secretary(
            domain_uuid=acme.domain_uuid, secretary_uuid=globex.secretary.secretary_uuid, extension="8001"
        )


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_unknown_domain(db: None, nonsense: str) -> None:
    """What is no domain's UUID is refused as such, without an error of the database."""
    with pytest.raises(UnknownDomain):
        resolve_secretary(domain_uuid=nonsense, secretary_uuid=None, extension="8001")


@pytest.mark.parametrize("nonsense", NONSENSE[1:])
def test_unknown_secretary(acme: Tenant, nonsense: str) -> None:
    """A secretary that is named must exist; the extension does not stand in for her."""
    with pytest.raises(UnknownSecretary):
        resolve_secretary(domain_uuid=acme.domain_uuid, secretary_uuid=nonsense, extension="8001")


@pytest.mark.parametrize("extension", ["", "8002", "80011", "\uff18\uff10\uff10\uff11", "\0", "8001 ", "x" * 100_000])
def test_unmapped_extension(acme: Tenant, extension: str) -> None:
    """Nobody answers there."""
    with pytest.raises(UnmappedExtension):
        resolve_secretary(domain_uuid=acme.domain_uuid, secretary_uuid=None, extension=extension)


def refused(tenant: Tenant) -> type[CallRefused]:
    with pytest.raises(CallRefused) as caught:
        tenant.profile()
    return caught.type


def test_disabled_things(acme: Tenant) -> None:
    """A disabled mapping, secretary or domain does not answer; each says which."""
    with tenant_context(acme.domain_uuid):
        ExtensionMapping.objects.update(enabled=False)
    assert refused(acme) is UnmappedExtension
    with tenant_context(acme.domain_uuid):
        ExtensionMapping.objects.update(enabled=True)
        Secretary.objects.update(enabled=False)
    assert refused(acme) is SecretaryDisabled
    update_domain(domain_uuid=acme.domain_uuid, enabled=False)
    assert refused(acme) is DomainDisabled


def test_no_credential(acme: Tenant) -> None:
    """Without a switch nobody knows how the audio travels."""
    with tenant_context(acme.domain_uuid):
        EslCredential.objects.all().delete()
    assert refused(acme) is NoCredential


def test_destinations_are_the_enabled_ones_by_priority(acme: Tenant) -> None:
    """Disabled ones are not offered; the higher priority comes first."""
    with tenant_context(acme.domain_uuid):
        create_destination(name="Support", number="1002", kind="extension", priority=5)
        create_destination(name="Closed", number="1003", kind="extension", enabled=False)
    assert [place.name for place in acme.profile().destinations] == ["Support", "Sales"]


def test_whose_call(acme: Tenant, globex: Tenant) -> None:
    """A call is its own tenant's and nobody else's."""
    call = acme.call()
    assert owns_call(domain_uuid=acme.domain_uuid, call_uuid=call.call_uuid)
    assert not owns_call(domain_uuid=globex.domain_uuid, call_uuid=call.call_uuid)
    assert not owns_call(domain_uuid=acme.domain_uuid, call_uuid=uuid4())
    assert (calls_in_progress(domain_uuid=acme.domain_uuid), calls_in_progress(domain_uuid=globex.domain_uuid)) == (
        1,
        0,
    )


@pytest.mark.django_db(transaction=True)
async def test_from_the_voice_node() -> None:
    """From asyncio, in a thread."""
    acme = await in_thread(make_tenant, "acme.example")
    profile = await in_tenant(
        acme.domain_uuid, resolve_secretary, domain_uuid=acme.domain_uuid, secretary_uuid=None, extension="8001"
    )
    assert profile.secretary_uuid == acme.secretary.secretary_uuid
