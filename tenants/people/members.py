"""The people of a domain: their roles, and that one administrator always remains. Inside a tenant."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from tenants import audit
from tenants.models import Domain, Member
from tenants.models.domain import SecondFactorRule
from tenants.models.member import Role


class LastAdministrator(Exception):
    """The domain would be left without anybody who can administer it."""


class StaleMember(Exception):
    """The member was changed since the page was made. Carries the member as it is now."""

    def __init__(self, member: Member) -> None:
        super().__init__(str(member.pk))
        self.member = member


def list_members() -> list[Member]:
    """Everybody in the domain, administrators first, by name; each with the account at hand."""
    return list(Member.objects.select_related("user").order_by("role", "user__username"))


def get_member(*, member_uuid: UUID) -> Member | None:
    return Member.objects.select_related("user").filter(pk=member_uuid).first()


@transaction.atomic
def change_role(*, member_uuid: UUID, role: str, seen_at: datetime | None) -> Member:
    """Give a member another role. Raises Member.DoesNotExist, StaleMember, LastAdministrator, ValidationError."""
    _lock()
    member = Member.objects.select_related("user").select_for_update(of=("self",)).get(pk=member_uuid)
    if member.updated_at != seen_at:
        raise StaleMember(member)
    if role != member.role:
        _keep_an_administrator(member, role)
        before = audit.before(member)
        member.role = role
        member.full_clean()
        member.save(update_fields=["role", "updated_at"])
        audit.saved(member, before, label=member.user.get_username())
    return member


@transaction.atomic
def remove(*, member_uuid: UUID) -> None:
    """Take somebody out of the domain; their next request finds nothing. Raises DoesNotExist, LastAdministrator."""
    _lock()
    member = Member.objects.select_related("user").get(pk=member_uuid)
    _keep_an_administrator(member, "")
    audit.deleted(member, label=member.user.get_username())
    member.delete()


@transaction.atomic
def set_rule(*, second_factor: str) -> Domain:
    """Say who must sign in with two factors in this domain. Raises ValidationError."""
    domain = Domain.objects.select_for_update().get()
    before = audit.before(domain)
    domain.second_factor = SecondFactorRule(second_factor)
    domain.save(update_fields=["second_factor", "updated_at"])
    audit.saved(domain, before)
    return domain


def is_last_administrator(member: Member) -> bool:
    """Whether nobody else could administer the domain: accounts that are switched off do not count."""
    others = Member.objects.filter(role=Role.ADMIN, user__is_active=True).exclude(pk=member.pk)
    return member.role == Role.ADMIN and not others.exists()


def _keep_an_administrator(member: Member, role: str) -> None:
    if role != Role.ADMIN and is_last_administrator(member):
        raise LastAdministrator


def _lock() -> None:
    # One change of the people at a time: two administrators who remove each other would both be the other's reason.
    Domain.objects.select_for_update(no_key=True).get()
