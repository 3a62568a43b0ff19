"""Writes: the price list. For the installation alone: whoever calls this has checked that."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from secretary.models import DomainPrice, ProviderPrice
from tenants import audit
from tenants.context import platform_context, tenant_context


def set_price(
    *, domain_uuid: UUID | None, provider: str, unit: str, amount: Decimal, per: int, model: str = ""
) -> ProviderPrice | DomainPrice:
    """Say what `per` units cost, to everybody or (`domain_uuid`) to one domain. Calls under way keep their price.

    Raises ValidationError.
    """
    with tenant_context(domain_uuid) if domain_uuid is not None else platform_context():
        row = _row(domain_uuid, provider, unit, model)
        before = audit.before(row)
        row.amount, row.per = amount, per
        row.full_clean()
        row.save()
        audit.saved(row, before)
    return row


def remove_price(*, domain_uuid: UUID | None, provider: str, unit: str, model: str = "") -> bool:
    """Take a price off the list. False: there was none."""
    with tenant_context(domain_uuid) if domain_uuid is not None else platform_context(), transaction.atomic():
        row = _row(domain_uuid, provider, unit, model)
        if row._state.adding:
            return False
        audit.deleted(row)
        row.delete()
    return True


def _row(domain_uuid: UUID | None, provider: str, unit: str, model: str) -> ProviderPrice | DomainPrice:
    book: Any = ProviderPrice if domain_uuid is None else DomainPrice
    found: ProviderPrice | DomainPrice | None = book.objects.filter(provider=provider, unit=unit, model=model).first()
    return found or book(provider=provider, unit=unit, model=model)
