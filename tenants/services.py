"""Writes: domains and the people in them."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from tenants import audit
from tenants.context import platform_context, tenant_context
from tenants.models import Domain, Member
from tenants.people import members


def create_domain(
    *,
    name: str,
    domain_uuid: UUID | None = None,
    language: str = "en",
    time_zone: str = "UTC",
    max_calls: int = 10,
    enabled: bool = True,
) -> Domain:
    """Make a tenant. Raises ValidationError (also when name or UUID are taken)."""
    with platform_context():
        domain = Domain(
            domain_uuid=domain_uuid or uuid4(),
            name=name.strip().lower(),
            language=language,
            time_zone=time_zone,
            max_calls=max_calls,
            enabled=enabled,
        )
        domain.full_clean()
        domain.save(force_insert=True)
        audit.saved(domain, None, domain_uuid=domain.pk)
    return domain


def update_domain(*, domain_uuid: UUID, **changes: Any) -> Domain:
    """Change a tenant's own settings. Raises Domain.DoesNotExist, ValidationError."""
    with tenant_context(domain_uuid):
        domain = Domain.objects.select_for_update().get()
        before = audit.before(domain)
        for field, value in changes.items():
            setattr(domain, field, value)
        domain.full_clean()
        domain.save(update_fields=[*changes, "updated_at"])
        audit.saved(domain, before)
    return domain


def add_member(*, domain_uuid: UUID, user_id: int, role: str) -> Member:
    """Put a person into a domain, or give them another role in it. Raises ValidationError, LastAdministrator."""
    with tenant_context(domain_uuid):
        member = Member.objects.select_related("user").filter(user_id=user_id).first()
        if member is not None:
            return members.change_role(member_uuid=member.pk, role=role, seen_at=member.updated_at)
        member = Member(user_id=user_id, role=role)
        member.full_clean()
        member.save(force_insert=True)
        audit.saved(member, None, label=member.user.get_username())
    return member


def remove_member(*, domain_uuid: UUID, user_id: int) -> bool:
    """Take a person out of a domain; False where they were not in it. Raises LastAdministrator."""
    with tenant_context(domain_uuid):
        member = Member.objects.filter(user_id=user_id).first()
        if member is not None:
            members.remove(member_uuid=member.pk)
    return member is not None
