"""Members: an administrator always remains."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection

from tenants.context import tenant_context
from tenants.models import Member
from tenants.people import members
from tenants.services import add_member
from tests.cast import Tenant, make_tenant


def test_last_administrator(acme: Tenant, alice: User, bob: User) -> None:
    """Neither demoted nor removed; with a second one, both are possible; accounts switched off do not count."""
    first = add_member(domain_uuid=acme.domain_uuid, user_id=alice.pk, role="admin")
    with tenant_context(acme.domain_uuid):
        for role in ("agent", "viewer"):
            with pytest.raises(members.LastAdministrator):
                members.change_role(member_uuid=first.pk, role=role, seen_at=first.updated_at)
        with pytest.raises(members.LastAdministrator):
            members.remove(member_uuid=first.pk)
    second = add_member(domain_uuid=acme.domain_uuid, user_id=bob.pk, role="admin")
    bob.is_active = False
    bob.save()
    with tenant_context(acme.domain_uuid), pytest.raises(members.LastAdministrator):
        members.remove(member_uuid=first.pk)
    bob.is_active = True
    bob.save()
    with tenant_context(acme.domain_uuid):
        members.remove(member_uuid=first.pk)
        with pytest.raises(members.LastAdministrator):
            members.change_role(member_uuid=second.pk, role="viewer", seen_at=second.updated_at)


def test_stale(acme: Tenant, alice: User) -> None:
    """Who saw an older state is told, and nothing is changed."""
    member = add_member(domain_uuid=acme.domain_uuid, user_id=alice.pk, role="agent")
    with tenant_context(acme.domain_uuid):
        members.change_role(member_uuid=member.pk, role="viewer", seen_at=member.updated_at)
        with pytest.raises(members.StaleMember):
            members.change_role(member_uuid=member.pk, role="admin", seen_at=member.updated_at)
        assert Member.objects.get().role == "viewer"


@pytest.mark.django_db(transaction=True)
def test_two_administrators_remove_each_other() -> None:
    """At the same moment: one succeeds, one administrator remains."""
    acme = make_tenant("acme.example")
    people = [
        add_member(domain_uuid=acme.domain_uuid, user_id=User.objects.create_user(name).pk, role="admin")
        for name in ("alice", "anna")
    ]

    def remove(member: Member) -> bool:
        try:
            with tenant_context(acme.domain_uuid):
                members.remove(member_uuid=member.pk)
            return True
        except members.LastAdministrator:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(remove, people)) == [False, True]
    with tenant_context(acme.domain_uuid):
        assert Member.objects.count() == 1
