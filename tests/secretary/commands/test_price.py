"""`manage.py price`: the installation's list, a domain's own, and every change on record."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from secretary.selectors.prices import unit_prices
from tenants.context import platform_context, tenant_context
from tenants.models import AuditEvent, InstallationEvent
from tests.cast import Tenant, make_tenant


def run(*args: str) -> str:
    out = StringIO()
    call_command("price", *args, stdout=out)
    return out.getvalue()


def cost(tenant: Tenant) -> Decimal:
    with tenant_context(tenant.domain_uuid):
        return round(unit_prices("openai").get("second", Decimal(0)) * 60, 6)


@pytest.mark.django_db
def test_list() -> None:
    """Set, overridden for one domain, shown, changed, removed."""
    acme, globex = make_tenant("acme.example"), make_tenant("globex.example")
    run("openai", "0.06")
    run("openai", "0.05", "--domain", "acme.example")
    assert (cost(acme), cost(globex)) == (Decimal("0.05"), Decimal("0.06"))
    run("openai", "0.07")
    assert (cost(acme), cost(globex)) == (Decimal("0.05"), Decimal("0.07"))
    run("openai", "9", "--model", "big")
    with tenant_context(acme.domain_uuid):
        assert unit_prices("openai", "big")["second"] * 60 == 9
    assert "removed" in run("openai", "none", "--model", "big")
    shown = run()
    assert "openai: 0.070000 per 60 second USD" in shown and "acme.example: openai: 0.050000" in shown
    assert "removed" in run("openai", "none", "--domain", "acme.example")
    assert "none" in run("openai", "none", "--domain", "acme.example")
    assert cost(acme) == Decimal("0.07")
    with platform_context():
        assert InstallationEvent.objects.filter(object_kind="providerprice").count() == 4
    with tenant_context(acme.domain_uuid):
        assert AuditEvent.objects.filter(object_kind="domainprice").count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [["openai"], ["openai", "dear"], ["openai", "1", "--domain", "nobody.example"], ["openai", "1", "--per", "0"]],
)
def test_refused(wrong: list[str]) -> None:
    """What is no price, or no domain's."""
    with pytest.raises(CommandError):
        run(*wrong)
