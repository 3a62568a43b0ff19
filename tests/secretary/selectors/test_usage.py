"""Usage of days: calls and money side by side, of one tenant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from secretary.models import ProviderPrice
from secretary.profiles import CallRecord
from secretary.selectors.usage import usage
from secretary.services.calls import finish_call
from tenants.context import platform_context, tenant_context
from tests.cast import Tenant, acme, globex

__all__ = ["acme", "globex"]


@pytest.mark.parametrize(("by", "key"), [("day", "day"), ("secretary", "secretary_uuid"), ("provider", "provider")])
def test_money(
    acme: Tenant, globex: Tenant, by: str, key: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """What calls have cost stands with them, by whatever they are counted; three queries."""
    with platform_context():
        ProviderPrice.objects.create(provider="local", amount=Decimal("0.60"))
    for tenant, seconds in ((acme, 60), (acme, 30), (globex, 6_000)):
        call = tenant.call()
        start = timezone.now()
        record = CallRecord("completed", answered_at=start, ended_at=start + timedelta(seconds=seconds))
        finish_call(domain_uuid=tenant.domain_uuid, call_uuid=call.pk, record=record)
    day = datetime.combine(timezone.now().astimezone(UTC).date(), datetime.min.time(), UTC)
    with tenant_context(acme.domain_uuid), django_assert_num_queries(3):
        found = usage(since=day, before=day + timedelta(days=1), by=by, zone=ZoneInfo("UTC"))
    assert found.total["amount"] == "0.900000" and found.total["seconds"] == 90
    (row,) = found.items
    assert row["amount"] == "0.900000" and row["calls"] == 2 and row[key] is not None
