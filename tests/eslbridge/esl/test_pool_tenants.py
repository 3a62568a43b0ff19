"""A domain's switch, by its own credential out of the database, and by no other's."""

from __future__ import annotations

from uuid import uuid4

import pytest

from eslbridge.esl import commands
from eslbridge.esl.errors import NotConnected
from eslbridge.esl.pool import get_esl_for_domain
from eslbridge.services import save_credential
from tests.cast import Tenant
from tests.eslbridge.esl.test_pool import FakeClient, _fresh

__all__ = ["_fresh"]


def test_each_domain_uses_its_own_password(acme: Tenant, globex: Tenant) -> None:
    """Two domains on the same host and port with different passwords share nothing."""
    answers = [get_esl_for_domain(tenant.domain_uuid).api(commands.status()) for tenant in (acme, globex, acme)]
    assert answers == ["password of acme.example", "password of globex.example", "password of acme.example"]
    assert len(FakeClient.made) == 2


def test_a_changed_password_counts_from_the_next_command_on(acme: Tenant) -> None:
    assert get_esl_for_domain(acme.domain_uuid).api(commands.status()) == "password of acme.example"
    save_credential(domain_uuid=acme.domain_uuid, password="changed")
    assert get_esl_for_domain(acme.domain_uuid).api(commands.status()) == "changed"


def test_an_unknown_domain_has_no_switch(db: None) -> None:
    with pytest.raises(NotConnected):
        get_esl_for_domain(uuid4())
