"""Quotas and data rules: defaults without a row, one row a domain, every change on record."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import ProgrammingError, transaction

from tenants.context import tenant_context
from tenants.models import AuditEvent, DataRules, Quota
from tenants.quotas import api_rate_of, quota_of, rules_of, set_quota, set_rules
from tests.cast import Tenant


def test_defaults(acme: Tenant) -> None:
    """A domain nobody has decided about has no end of minutes and money, and card numbers are redacted."""
    with tenant_context(acme.domain_uuid):
        quota, rules = quota_of(), rules_of()
        assert not Quota.objects.exists() and not DataRules.objects.exists()
    assert (quota.minutes_per_day, quota.money_per_month, quota.max_secretaries) == (None, None, 100)
    assert rules.redact_cards and not rules.redact_identity and rules.messages_days is None


def test_set_and_recorded(acme: Tenant, globex: Tenant) -> None:
    """A change is one row and one line of the record; the other domain keeps its own."""
    set_quota(domain_uuid=acme.domain_uuid, minutes_per_day=30)
    set_quota(domain_uuid=acme.domain_uuid, money_per_month=Decimal("12.50"))
    with tenant_context(acme.domain_uuid):
        row = Quota.objects.get()
        assert (row.minutes_per_day, row.money_per_month) == (30, Decimal("12.50"))
        lines = AuditEvent.objects.filter(object_kind="quota").order_by("at")
        assert [line.action for line in lines] == ["quota.created", "quota.changed"]
        assert lines[1].new == {"money_per_month": "12.50"}
    with tenant_context(globex.domain_uuid):
        assert quota_of().minutes_per_day is None


@pytest.mark.parametrize("wrong", [{"minutes_per_day": 0}, {"money_per_day": Decimal(-1)}, {"max_extensions": 1_001}])
def test_refused(acme: Tenant, wrong: dict[str, object]) -> None:
    """What makes no sense is not stored."""
    with pytest.raises(ValidationError):
        set_quota(domain_uuid=acme.domain_uuid, **wrong)


@pytest.mark.parametrize("wrong", [{"messages_days": 0}, {"country_code": "+55"}, {"country_code": "0"}])
def test_refused_rules(acme: Tenant, wrong: dict[str, object]) -> None:
    """Nor is a rule without sense."""
    with pytest.raises(ValidationError):
        set_rules(domain_uuid=acme.domain_uuid, **wrong)


def test_another_tenants_row(acme: Tenant, globex: Tenant) -> None:
    """A tenant's code can neither see nor write the quota of another."""
    set_quota(domain_uuid=globex.domain_uuid, minutes_per_day=1)
    with tenant_context(acme.domain_uuid):
        assert Quota.objects.count() == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Quota(domain_id=globex.domain_uuid, minutes_per_day=999).save()


def test_api_rate(acme: Tenant) -> None:
    """The domain's figure, where it has one."""
    assert api_rate_of(acme.domain_uuid) is None
    set_quota(domain_uuid=acme.domain_uuid, api_per_minute=5)
    assert api_rate_of(acme.domain_uuid) == 5
