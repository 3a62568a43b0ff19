"""How a domain calls out: read by whoever dials, changed by its administrators."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from secretary.models import CallingRules
from tenants import audit
from tenants.context import tenant_context
from tenants.models import Domain

FIELDS: Final = (
    "caller_id_number", "caller_id_name", "ring_s", "customer_ring_s", "automatic", "earliest", "latest",
    "max_attempts", "spacing_minutes", "expires_hours",
)  # fmt: skip


def calling_rules_of() -> CallingRules:
    """The rules of the active tenant; the defaults, not stored, where there is no row."""
    return CallingRules.objects.first() or CallingRules()


def save_calling_rules(*, domain_uuid: UUID, **changes: Any) -> CallingRules:
    """Change them. Raises ValidationError."""
    with tenant_context(domain_uuid):
        domain = Domain.objects.select_for_update(no_key=True).get()  # the row itself may not be there to be locked
        row = CallingRules.objects.first() or CallingRules(domain=domain)
        before = audit.before(row)
        for name in FIELDS:
            if name in changes:
                setattr(row, name, changes[name])
        row.full_clean()
        row.save()
        audit.saved(row, before, label=domain.name)
    return row
