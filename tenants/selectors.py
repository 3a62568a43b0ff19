"""Reads: who belongs where."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tenants.context import platform_context, tenant_context
from tenants.errors import InvalidTenantError
from tenants.models import Domain, Member


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's place in one domain."""

    domain_uuid: UUID
    domain_name: str
    role: str


def memberships(*, user_id: int) -> list[Membership]:
    """The domains of a person who is signing in, by name. Runs across tenants, because nobody is chosen yet."""
    with platform_context():
        rows = Member.objects.filter(user_id=user_id, domain__enabled=True).order_by("domain__name")
        return [Membership(*row) for row in rows.values_list("domain_id", "domain__name", "role")]


def get_domain(*, domain_uuid: UUID | str) -> Domain | None:
    """A domain by its UUID, or None; also for what is no UUID."""
    try:
        with tenant_context(domain_uuid):
            return Domain.objects.first()
    except InvalidTenantError:
        return None


def find_domain(*, name: str) -> Domain | None:
    """A domain by its name, across tenants: for commands and provisioning."""
    with platform_context():
        return Domain.objects.filter(name=name.strip().lower()).first()


def all_domains() -> list[Domain]:
    """Every domain of the installation, by name: for the operator."""
    with platform_context():
        return list(Domain.objects.all())


@dataclass(frozen=True, slots=True)
class DomainPage:
    """Domains that a person may choose from, by name; `after` is where the next page begins (empty: nowhere)."""

    items: list[Membership]
    after: str


def domain_page(*, user_id: int, operator: bool, search: str = "", after: str = "", size: int = 50) -> DomainPage:
    """The enabled domains in which a person has a role; an operator has one in all (role "operator").

    Two queries, however many domains there are: the page follows the index of names.
    """
    with platform_context():
        rows = Domain.objects.filter(enabled=True, name__gt=after)
        if search:
            rows = rows.filter(name__contains=search.strip().lower())
        mine = Member.objects.filter(user_id=user_id)
        if not operator:
            rows = rows.filter(pk__in=mine.values("domain_id"))
        found = list(rows.order_by("name").values_list("domain_uuid", "name")[: size + 1])
        roles = dict(mine.filter(domain_id__in=[uuid for uuid, _ in found]).values_list("domain_id", "role"))
    items = [Membership(uuid, name, roles.get(uuid, "operator")) for uuid, name in found[:size]]
    return DomainPage(items, found[size - 1][1] if len(found) > size else "")
