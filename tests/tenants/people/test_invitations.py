"""Invitations: once, in time, for the invited address, into the inviting domain, and nowhere else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection

from tenants.context import platform_context, tenant_context
from tenants.errors import NoTenantError
from tenants.models import Invitation, Member, OperatorInvitation
from tenants.people import invitations
from tenants.people.invitations import InvitationRefused
from tenants.services import add_member, update_domain
from tests.cast import Tenant, make_tenant
from tests.tenants.people.conftest import Clock

PASSWORD = "quite a long password"


def invite(tenant: Tenant, email: str = "ina@acme.example", role: str = "agent") -> invitations.Issued:
    return invitations.invite(domain_uuid=tenant.domain_uuid, email=email, role=role, invited_by="alice")


def refused(token: str, user: User) -> str:
    with pytest.raises(InvitationRefused) as caught:
        invitations.accept(token, user)
    return caught.value.reason


def roles(tenant: Tenant) -> dict[str, str]:
    with tenant_context(tenant.domain_uuid):
        return dict(Member.objects.values_list("user__username", "role"))


def test_new_account(acme: Tenant) -> None:
    """The link makes an account with the invited address and its place, once."""
    issued = invite(acme, " Ina@ACME.example ")
    offer = invitations.offer(issued.token)
    assert (offer.email, offer.role, offer.has_account) == ("ina@acme.example", "agent", False)
    assert offer.domain is not None and offer.domain.name == "acme.example"
    user, domain_uuid = invitations.register(issued.token, password=PASSWORD, first_name="Ina")
    assert (user.username, user.email, domain_uuid) == ("ina@acme.example", "ina@acme.example", acme.domain_uuid)
    assert user.check_password(PASSWORD) and not user.is_superuser
    assert roles(acme) == {"ina@acme.example": "agent"}
    assert refused(issued.token, user) == "gone"


def test_account_that_exists(acme: Tenant, globex: Tenant, bob: User) -> None:
    """Who has an account takes the offer with it; nobody can make a second one for the address."""
    issued = invite(acme, "bob@globex.example", "viewer")
    assert invitations.offer(issued.token).has_account
    with pytest.raises(InvitationRefused, match="has_account"):
        invitations.register(issued.token, password=PASSWORD)
    assert invitations.accept(issued.token, bob) == acme.domain_uuid
    assert roles(acme) == {"bob": "viewer"} and roles(globex) == {}


def test_other_address(acme: Tenant, bob: User) -> None:
    """A link that was passed on or taken helps nobody else, and stays good for whom it is for."""
    issued = invite(acme)
    assert refused(issued.token, bob) == "other_address"
    assert roles(acme) == {}
    assert invitations.offer(issued.token).email == "ina@acme.example"


def test_expired(acme: Tenant, clock: Clock, bob: User) -> None:
    """After seven days the link is dead; sent again, there is a new one."""
    issued = invite(acme, "bob@globex.example")
    clock.pass_s(7 * 24 * 3600)
    assert refused(issued.token, bob) == "gone"
    with tenant_context(acme.domain_uuid):
        fresh = invitations.resend(issued.invitation)
    assert invitations.accept(fresh.token, bob)


def test_resent_and_revoked(acme: Tenant, bob: User) -> None:
    """Sending again kills the old link; revoking kills it for good."""
    old = invite(acme, "bob@globex.example")
    with tenant_context(acme.domain_uuid):
        new = invitations.resend(old.invitation)
    assert refused(old.token, bob) == "gone"
    with tenant_context(acme.domain_uuid):
        invitations.revoke(new.invitation)
    assert refused(new.token, bob) == "gone"
    with tenant_context(acme.domain_uuid), pytest.raises(InvitationRefused):
        invitations.resend(new.invitation)
    assert invite(acme, "bob@globex.example").token != new.token


def test_foreign_and_forged_tokens(acme: Tenant, globex: Tenant, bob: User) -> None:
    """A token belongs to the domain in it: under another domain's, or as an operator's, it is nothing."""
    token = invite(acme, "bob@globex.example").token
    secret = token.partition(".")[2]
    operator = invitations.invite_operator(email="bob@globex.example", invited_by="olga").token
    forged = (
        f"{globex.domain_uuid.hex}.{secret}",
        f"op.{secret}",
        f"{acme.domain_uuid.hex}.{operator.partition('.')[2]}",
        token.upper(),
        token[:-1],
        token + "x",
        f"{token}\n",
        "",
        "op.",
        "\0" * 76,
        "é" * 76,
    )
    for text in forged:
        assert refused(text, bob) == "gone", text
    assert roles(globex) == {} and not User.objects.get(pk=bob.pk).is_superuser


def test_domain_switched_off(acme: Tenant, bob: User) -> None:
    """Nobody is let into a domain that is switched off."""
    token = invite(acme, "bob@globex.example").token
    update_domain(domain_uuid=acme.domain_uuid, enabled=False)
    assert refused(token, bob) == "gone"


def test_twice(acme: Tenant, bob: User) -> None:
    """Who is invited or belongs already is not invited again; addresses are told apart whatever their case."""
    invite(acme, "bob@globex.example")
    with pytest.raises(ValidationError, match="invited already"):
        invite(acme, "BOB@globex.example")
    add_member(domain_uuid=acme.domain_uuid, user_id=bob.pk, role="admin")
    with pytest.raises(ValidationError, match="belongs to the domain already"):
        invite(acme, "bob@globex.example")


def test_nobody_is_demoted_by_an_invitation(acme: Tenant, bob: User) -> None:
    """Who became administrator meanwhile stays it."""
    token = invite(acme, "bob@globex.example", "viewer").token
    add_member(domain_uuid=acme.domain_uuid, user_id=bob.pk, role="admin")
    invitations.accept(token, bob)
    assert roles(acme) == {"bob": "admin"}


def test_operator(alice: User, db: None) -> None:
    """An operator's invitation gives the installation, not a place in a domain."""
    issued = invitations.invite_operator(email="alice@acme.example", invited_by="olga")
    assert invitations.offer(issued.token).domain is None
    assert invitations.accept(issued.token, alice) is None
    assert User.objects.get(pk=alice.pk).is_superuser
    with pytest.raises(ValidationError, match="runs the platform already"):
        invitations.invite_operator(email="alice@acme.example", invited_by="olga")


def test_hashed_and_behind_the_wall(acme: Tenant, globex: Tenant) -> None:
    """The token is not in the database; another tenant sees no invitation, and none sees an operator's."""
    token = invite(acme).token
    invitations.invite_operator(email="o@x.example", invited_by="olga")
    with platform_context(), connection.cursor() as cursor:
        cursor.execute("select string_agg(t::text, ' ') from tenants_invitation t")
        assert token.partition(".")[2] not in cursor.fetchone()[0]
    with tenant_context(globex.domain_uuid):
        assert not Invitation.objects.exists()
        with connection.cursor() as cursor:
            cursor.execute(
                "select (select count(*) from tenants_invitation) + (select count(*) from tenants_operatorinvitation)"
            )
            assert cursor.fetchone() == (0,)
        with pytest.raises(NoTenantError):
            OperatorInvitation.objects.count()


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_make_one_account() -> None:
    """Ten clicks on the link at the same moment: one account, one place."""
    acme = make_tenant("acme.example")
    token = invite(acme).token

    def register(_: int) -> str:
        try:
            invitations.register(token, password=PASSWORD)
            return "in"
        except InvitationRefused as refusal:
            return refusal.reason
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        results = list(pool.map(register, range(10)))
    assert sorted(results) == ["gone"] * 9 + ["in"]
    assert User.objects.count() == 1 and roles(acme) == {"ina@acme.example": "agent"}
