"""What a domain may use: read by whoever must keep to it, changed by the installation alone."""

from __future__ import annotations

from typing import Any, Final, TypeVar
from uuid import UUID

from tenants import audit
from tenants.context import tenant_context
from tenants.models import DataRules, Domain, Quota

QUOTA_FIELDS: Final = (
    "minutes_per_day",
    "minutes_per_month",
    "money_per_day",
    "money_per_month",
    "max_secretaries",
    "max_extensions",
    "api_per_minute",
)
R = TypeVar("R", Quota, DataRules)
RULES_FIELDS: Final = (
    "transcripts_days",
    "recordings_days",
    "messages_days",
    "events_days",
    "redact_cards",
    "redact_accounts",
    "redact_identity",
    "redact_passwords",
    "country_code",
    "facts_days",
    "announce_ai",
    "announce_recording",
    "remember_callers",
)


def quota_of() -> Quota:
    """The quota of the active tenant; the defaults, not stored, where there is no row."""
    return Quota.objects.first() or Quota()


def limits_calls(quota: Quota) -> bool:
    """Whether the quota has anything to say about minutes or money."""
    figures = (quota.minutes_per_day, quota.minutes_per_month, quota.money_per_day, quota.money_per_month)
    return any(figure is not None for figure in figures)


def api_rate_of(domain_uuid: UUID) -> int | None:
    """Requests per minute of all keys of the domain together; None: only each key's own limit holds."""
    with tenant_context(domain_uuid):
        rate: int | None = Quota.objects.values_list("api_per_minute", flat=True).first()
    return rate


def set_quota(*, domain_uuid: UUID, **changes: Any) -> Quota:
    """Change what a domain may use. For the installation's operator: whoever calls this has checked that.

    Raises Domain.DoesNotExist, ValidationError.
    """
    return _store(Quota, domain_uuid, changes)


def rules_of() -> DataRules:
    """The data rules of the active tenant; the defaults, not stored, where there is no row."""
    return DataRules.objects.first() or DataRules()


def set_rules(*, domain_uuid: UUID, **changes: Any) -> DataRules:
    """Change how long a domain keeps what, and what is never written down.

    Raises Domain.DoesNotExist, ValidationError.
    """
    return _store(DataRules, domain_uuid, changes)


def _store(model: type[R], domain_uuid: UUID, changes: dict[str, Any]) -> R:
    with tenant_context(domain_uuid):
        domain = Domain.objects.select_for_update(no_key=True).get()  # the row itself may not be there to be locked
        row = model.objects.first() or model(domain=domain)
        before = audit.before(row)
        for name, value in changes.items():
            setattr(row, name, value)
        row.full_clean()
        row.save()
        audit.saved(row, before, label=domain.name)
    return row
