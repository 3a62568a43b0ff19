"""Seeding: two tenants with a secretary each at the same extension, however often it runs."""

from __future__ import annotations

import pytest
from django.contrib.auth import authenticate

from eslbridge.models import EslCredential
from eslbridge.simulator import StandInSwitch
from secretary.demo.run import _dialplan
from secretary.demo.tenants import ACME, EXTENSION, GLOBEX, TENANTS, Switch, seed
from secretary.models import Destination, Secretary
from secretary.selectors.calls import resolve_secretary
from secretary.services.destinations import create_destination
from tenants.context import tenant_context
from tenants.selectors import memberships

pytestmark = pytest.mark.django_db

SWITCH = Switch("127.0.0.1", 8021, "first-password", "direct-udp")


def test_two_tenants_share_an_extension() -> None:
    """8001 is Clara at acme and Martin at globex; each finds its own places only."""
    for tenant in TENANTS:
        profile = resolve_secretary(
            domain_uuid=seed(tenant, SWITCH, "a-long-password"), secretary_uuid=None, extension=EXTENSION
        )
        assert profile.name == tenant.secretary
        assert {(place.name, place.number) for place in profile.destinations} == {
            ("Sales", "1001"),
            ("Support", "1002"),
        }
        assert profile.record_calls


def test_seeding_again_changes_what_the_run_decides_and_nothing_else() -> None:
    """The switch's port and transport follow the run; a newcomer's own changes stay; nothing is doubled."""
    domain_uuid = seed(ACME, SWITCH, "a-long-password")
    with tenant_context(domain_uuid):
        Secretary.objects.update(greeting="My own greeting.")
        create_destination(name="Billing", number="1003")
    again = seed(ACME, Switch("127.0.0.1", 8031, "second-password", "mod-audio-fork"), "a-long-password")
    assert again == domain_uuid
    with tenant_context(domain_uuid):
        assert Secretary.objects.get().greeting == "My own greeting."
        assert Destination.objects.count() == 3
        credential = EslCredential.objects.get()
    assert (credential.port, credential.password, credential.audio_transport) == (
        8031,
        "second-password",
        "mod-audio-fork",
    )


def test_the_panel_user_belongs_to_one_tenant() -> None:
    """Each tenant's user signs in with its password and is an administrator there, and nowhere else."""
    for tenant in TENANTS:
        seed(tenant, SWITCH, f"password-of-{tenant.domain}")
    user = authenticate(username=GLOBEX.user, password=f"password-of-{GLOBEX.domain}")
    assert user is not None
    assert [(one.domain_name, one.role) for one in memberships(user_id=user.pk)] == [(GLOBEX.domain, "admin")]
    assert authenticate(username=ACME.user, password=f"password-of-{GLOBEX.domain}") is None


def test_the_dialplan_is_what_an_administrator_would_install() -> None:
    """`manage.py dialplan`'s XML loads into the stand-in switch: both tenants, their extension, the fallback."""
    switch = StandInSwitch()
    for tenant in TENANTS:
        seed(tenant, SWITCH, "a-long-password")
        switch.dialplan.load_xml(_dialplan(tenant.domain))
    assert set(switch.dialplan.contexts) == {ACME.domain, GLOBEX.domain}
    names = [extension.name for extension in switch.dialplan.contexts[ACME.domain]]
    assert f"voice_secretary_{EXTENSION}" in names
