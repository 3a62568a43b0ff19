"""What is remembered of callers: only where it is allowed, bounded, redacted, and of one tenant alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from secretary.services.retention import forget_old_data
from secretary.tools import facts
from secretary.tools.beginning import beginning_of
from secretary.tools.facts import NotRemembered, forget, forget_caller, known, remember
from secretary.tools.models import CallerFact
from secretary.tools.models.caller_fact import MAX_FACT, MAX_PER_CALLER
from tenants.context import tenant_context
from tenants.models import AuditEvent
from tenants.quotas import set_rules
from tests.cast import Tenant

ALICE = "+5511987650001"


@pytest.fixture
def allowed(acme: Tenant) -> Tenant:
    set_rules(domain_uuid=acme.domain_uuid, remember_callers=True, country_code="55")
    return acme


def of(tenant: Tenant, number: str) -> tuple[str, ...]:
    with tenant_context(tenant.domain_uuid):
        return known(number)


def test_switched_off(acme: Tenant) -> None:
    """The default: nothing is kept, nothing told; not even what is there from before."""
    with pytest.raises(NotRemembered, match="switched_off"):
        remember(domain_uuid=acme.domain_uuid, number=ALICE, text="Prefers mornings")
    with tenant_context(acme.domain_uuid):
        CallerFact.objects.create(number=ALICE[1:], text="Prefers mornings")
    assert of(acme, ALICE) == () and beginning_of(acme.profile(), ALICE).known == ()


def test_the_next_call(allowed: Tenant) -> None:
    """Told again, in any way of writing the number, the newest first."""
    remember(domain_uuid=allowed.domain_uuid, number=ALICE, text="Prefers mornings")
    remember(domain_uuid=allowed.domain_uuid, number="011 98765-0001", text="Has a dog")
    assert of(allowed, "11987650001") == ("Has a dog", "Prefers mornings")
    assert beginning_of(allowed.profile(), ALICE).known == ("Has a dog", "Prefers mornings")
    assert of(allowed, "+5511987650002") == ()


def test_another_tenant(allowed: Tenant, globex: Tenant) -> None:
    """Knows nothing of it."""
    set_rules(domain_uuid=globex.domain_uuid, remember_callers=True, country_code="55")
    remember(domain_uuid=allowed.domain_uuid, number=ALICE, text="Prefers mornings")
    assert of(globex, ALICE) == ()
    with tenant_context(globex.domain_uuid):
        assert forget_caller(number=ALICE) == 0
    assert of(allowed, ALICE) == ("Prefers mornings",)


@pytest.mark.parametrize("number", ["", "anonymous", "unknown", "sip:@", "5"])
def test_nobody_in_particular(allowed: Tenant, number: str) -> None:
    """A caller without a number is not remembered, and gets nobody's memories."""
    with pytest.raises(NotRemembered, match="unknown_caller"):
        remember(domain_uuid=allowed.domain_uuid, number=number, text="x")
    assert of(allowed, number) == ()


def test_bounds(allowed: Tenant) -> None:
    """One line of some length, so many of a number; the oldest makes room; the same twice is one."""
    remember(domain_uuid=allowed.domain_uuid, number=ALICE, text="a\nb\x00" + "c" * 1_000)
    assert of(allowed, ALICE)[0].startswith("a bc") and len(of(allowed, ALICE)[0]) == MAX_FACT
    for n in range(MAX_PER_CALLER + 3):
        remember(domain_uuid=allowed.domain_uuid, number=ALICE, text=f"Fact {n}")
    found = of(allowed, ALICE)
    assert len(found) == MAX_PER_CALLER and found[0] == f"Fact {MAX_PER_CALLER + 2}" and "Fact 2" not in found
    remember(domain_uuid=allowed.domain_uuid, number=ALICE, text="fact 5")
    assert of(allowed, ALICE)[0] == "fact 5" and len(of(allowed, ALICE)) == MAX_PER_CALLER


def test_redacted(allowed: Tenant) -> None:
    """What the tenant does not keep is not remembered either; nothing is not a fact."""
    remember(domain_uuid=allowed.domain_uuid, number=ALICE, text="Pays with 4111 1111 1111 1111")
    assert "4111" not in of(allowed, ALICE)[0]
    with pytest.raises(NotRemembered, match="empty"):
        remember(domain_uuid=allowed.domain_uuid, number=ALICE, text=" \n ")


def test_forgotten(allowed: Tenant) -> None:
    """One, or all of a number; the record says that it was done, not what it was."""
    fact = remember(domain_uuid=allowed.domain_uuid, number=ALICE, text="Prefers mornings")
    remember(domain_uuid=allowed.domain_uuid, number=ALICE, text="Has a dog")
    with tenant_context(allowed.domain_uuid):
        forget(fact_uuid=fact.pk)
        assert known(ALICE) == ("Has a dog",) and forget_caller(number="11 98765-0001") == 1
        lines = str(list(AuditEvent.objects.values_list("action", "old", "new", "object_label")))
    assert of(allowed, ALICE) == () and "callerfact.deleted" in lines
    assert "dog" not in lines and "98765" not in lines


def test_after_their_time(allowed: Tenant) -> None:
    """By the domain's rule."""
    set_rules(domain_uuid=allowed.domain_uuid, facts_days=30)
    remember(domain_uuid=allowed.domain_uuid, number=ALICE, text="Prefers mornings")
    with tenant_context(allowed.domain_uuid):
        CallerFact.objects.update(created_at=timezone.now() - timedelta(days=31))
    remember(domain_uuid=allowed.domain_uuid, number=ALICE, text="Has a dog")
    assert forget_old_data()["facts"] == 1 and of(allowed, ALICE) == ("Has a dog",)


def test_nothing_of_it_costs_a_call(allowed: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that fails leaves a secretary without memory, and the caller with a secretary."""
    monkeypatch.setattr(facts, "known", lambda _number: 1 / 0)
    assert beginning_of(allowed.profile(), ALICE).known == ()
