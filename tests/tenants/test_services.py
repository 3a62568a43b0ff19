"""Domains and members."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from tenants.context import platform_context
from tenants.models import Domain
from tenants.people.members import LastAdministrator
from tenants.selectors import Membership, find_domain, get_domain, memberships
from tenants.services import add_member, create_domain, remove_member, update_domain
from tests.cast import Tenant


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", "a b", "${x}", "acme.example\n", "-a", "a..b", 'a"b', "ä.example", "x" * 254])
def test_name_is_a_dns_name(name: str) -> None:
    """The name becomes dialplan context and part of commands: nothing but a DNS name gets in, at two doors."""
    with platform_context(), pytest.raises(ValidationError) as refused:
        Domain(name=name).full_clean()
    assert "name" in refused.value.message_dict
    with platform_context(), pytest.raises(Exception) as caught, transaction.atomic():
        Domain.objects.create(name=name)
    assert "tenants_domain_name" in str(caught.value) or "too long" in str(caught.value)


@pytest.mark.django_db
def test_names_are_unique_and_lower_case() -> None:
    """ACME.example and acme.example are the same domain."""
    create_domain(name="ACME.example")
    with pytest.raises(ValidationError):
        create_domain(name="acme.EXAMPLE")
    assert find_domain(name="Acme.Example") is not None


@pytest.mark.django_db
def test_time_zone_must_exist() -> None:
    """A typing error in the time zone is told at once, not at the first call."""
    with pytest.raises(ValidationError):
        create_domain(name="acme.example", time_zone="Europe/Atlantis")


def test_person_in_two_domains(acme: Tenant, globex: Tenant) -> None:
    """Sign-in finds the domains of a person, enabled ones, each with the role there."""
    alice = User.objects.create_user("alice")
    add_member(domain_uuid=acme.domain_uuid, user_id=alice.pk, role="agent")
    add_member(domain_uuid=acme.domain_uuid, user_id=alice.pk, role="admin")
    add_member(domain_uuid=globex.domain_uuid, user_id=alice.pk, role="viewer")
    assert memberships(user_id=alice.pk) == [
        Membership(acme.domain_uuid, "acme.example", "admin"),
        Membership(globex.domain_uuid, "globex.example", "viewer"),
    ]
    update_domain(domain_uuid=globex.domain_uuid, enabled=False)
    assert [m.domain_name for m in memberships(user_id=alice.pk)] == ["acme.example"]
    with pytest.raises(LastAdministrator):
        remove_member(domain_uuid=acme.domain_uuid, user_id=alice.pk)
    add_member(domain_uuid=acme.domain_uuid, user_id=User.objects.create_user("anna").pk, role="admin")
    assert remove_member(domain_uuid=acme.domain_uuid, user_id=alice.pk)
    assert not remove_member(domain_uuid=acme.domain_uuid, user_id=alice.pk)
    assert memberships(user_id=alice.pk) == []


def test_role_must_be_known(acme: Tenant) -> None:
    """A role that is none is refused by form and by table."""
    bob = User.objects.create_user("bob")
    with pytest.raises((ValidationError, IntegrityError)):
        add_member(domain_uuid=acme.domain_uuid, user_id=bob.pk, role="god")


@pytest.mark.parametrize("nonsense", ["", "x", "00000000-0000-0000-0000-000000000000"])
def test_unknown_domain_is_none(db: None, nonsense: str) -> None:
    """What is no UUID, or nobody's, is simply not there."""
    assert get_domain(domain_uuid=nonsense) is None
