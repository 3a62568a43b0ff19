"""Minutes and money: checked before answering, held while a call lasts, never used twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Barrier, Thread
from uuid import UUID, uuid4

import pytest
from django.db import connections
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from secretary.errors import BudgetUsedUp, MinutesUsedUp
from secretary.models import Call, DomainPrice, ProviderPrice, UsageDay
from secretary.profiles import CallRecord
from secretary.services.allowance import GRANT_S, LEAST_S, Spent, left, renew
from secretary.services.calls import finish_call, open_call
from tenants.context import platform_context, tenant_context
from tenants.models import Quota
from tenants.quotas import set_quota
from tests.cast import Tenant, make_tenant


def use(tenant: Tenant, seconds: float, *, amount: str = "0", days_ago: int = 0) -> None:
    """Seconds and money used by calls that are over."""
    with tenant_context(tenant.domain_uuid):
        day = (timezone.now() - timedelta(days=days_ago)).astimezone(UTC).date()
        UsageDay.objects.create(
            day=day, provider="local", unit="second", currency="USD", quantity=seconds, amount=Decimal(amount)
        )


def price(amount: str) -> None:
    """What the local provider costs a minute."""
    with platform_context():
        ProviderPrice.objects.create(provider="local", amount=Decimal(amount), per=60)


def held(tenant: Tenant, call_uuid: UUID) -> float:
    with tenant_context(tenant.domain_uuid):
        call = Call.objects.get(pk=call_uuid)
    assert call.granted_until is not None
    return (call.granted_until - call.started_at).total_seconds()


def dial(tenant: Tenant) -> tuple[UUID, float | None]:
    opened = open_call(profile=tenant.profile(), call_uuid=uuid4(), node="node-a")
    return opened.call_uuid, opened.allowed_s


def test_without_a_quota(acme: Tenant) -> None:
    """Nothing is held, and the node is told of no end."""
    call_uuid, allowed = dial(acme)
    assert allowed is None
    assert renew(node="node-a", call_uuids=[call_uuid]) == {}


def test_a_call_holds_a_minute(acme: Tenant) -> None:
    """Of a large quota a call holds a lease's time at first, and each renewal moves it on."""
    set_quota(domain_uuid=acme.domain_uuid, minutes_per_day=60)
    call_uuid, allowed = dial(acme)
    assert allowed == GRANT_S and held(acme, call_uuid) == pytest.approx(GRANT_S, abs=0.5)
    later = timezone.now() + timedelta(seconds=40)
    assert renew(node="node-a", call_uuids=[call_uuid], now=later)[call_uuid] == GRANT_S
    assert held(acme, call_uuid) == pytest.approx(GRANT_S + 40, abs=1)


def test_refused_before_answering(acme: Tenant, globex: Tenant) -> None:
    """With less than a conversation left, the call is not taken; another tenant's calls are."""
    set_quota(domain_uuid=acme.domain_uuid, minutes_per_day=10)
    use(acme, 600 - LEAST_S + 1)
    with pytest.raises(MinutesUsedUp):
        dial(acme)
    dial(globex)


def test_yesterday_counts_for_the_month_only(acme: Tenant) -> None:
    """A new day is a new quota of the day."""
    set_quota(domain_uuid=acme.domain_uuid, minutes_per_day=10)
    use(acme, 6_000, days_ago=1)
    dial(acme)


def test_month(acme: Tenant) -> None:
    """The month's minutes end calls, too."""
    set_quota(domain_uuid=acme.domain_uuid, minutes_per_month=10)
    use(acme, 600)
    with pytest.raises(MinutesUsedUp):
        dial(acme)


def test_money(acme: Tenant) -> None:
    """At 0.60 a minute, one dollar is 100 s; what is left decides, and a free provider costs nothing."""
    set_quota(domain_uuid=acme.domain_uuid, money_per_day=Decimal(1))
    use(acme, 60, amount="0.70")
    assert dial(acme)[1] is None
    price("0.60")
    assert dial(acme)[1] == pytest.approx(30, abs=0.5)
    with pytest.raises(BudgetUsedUp):
        dial(acme)


def test_own_price(acme: Tenant, globex: Tenant) -> None:
    """A domain's own price takes the place of the installation's, for itself only."""
    price("60")
    with tenant_context(acme.domain_uuid):
        DomainPrice.objects.create(provider="local", amount=Decimal("0.60"), per=60)
    for tenant in (acme, globex):
        set_quota(domain_uuid=tenant.domain_uuid, money_per_day=Decimal("0.50"))
    assert dial(acme)[1] == pytest.approx(50, abs=0.5)
    with pytest.raises(BudgetUsedUp):
        dial(globex)


def test_what_a_call_did_not_use_comes_back(acme: Tenant) -> None:
    """A call that ends early gives back what it held."""
    set_quota(domain_uuid=acme.domain_uuid, minutes_per_day=1)
    first, _ = dial(acme)
    with pytest.raises(MinutesUsedUp):
        dial(acme)
    finish_call(domain_uuid=acme.domain_uuid, call_uuid=first, record=CallRecord("completed"))
    assert dial(acme)[1] == pytest.approx(60, abs=1)


def test_side_by_side_no_second_is_used_twice(acme: Tenant) -> None:
    """However calls renew, what they hold together never exceeds the quota."""
    set_quota(domain_uuid=acme.domain_uuid, minutes_per_day=5)
    calls = [dial(acme)[0] for _ in range(4)]
    for seconds in range(20, 400, 20):
        renew(node="node-a", call_uuids=calls, now=timezone.now() + timedelta(seconds=seconds))
        assert sum(held(acme, call) for call in calls) <= 300.5
    allowed = renew(node="node-a", call_uuids=calls, now=timezone.now() + timedelta(seconds=400))
    assert set(allowed.values()) == {0.0}


def test_lifted_and_lowered(acme: Tenant) -> None:
    """A quota that is lifted under way sets calls free; one that is lowered ends them at the next renewal."""
    set_quota(domain_uuid=acme.domain_uuid, minutes_per_day=60)
    call_uuid, _ = dial(acme)
    set_quota(domain_uuid=acme.domain_uuid, minutes_per_day=None)
    assert renew(node="node-a", call_uuids=[call_uuid]) == {call_uuid: None}
    assert renew(node="node-a", call_uuids=[call_uuid]) == {}
    set_quota(domain_uuid=acme.domain_uuid, minutes_per_day=1)
    later = timezone.now() + timedelta(seconds=100)
    assert renew(node="node-a", call_uuids=[call_uuid], now=later) == {call_uuid: 0.0}


def test_only_the_nodes_own_calls(acme: Tenant, globex: Tenant) -> None:
    """Another node's, or another tenant's, calls are not renewed by naming them."""
    for tenant in (acme, globex):
        set_quota(domain_uuid=tenant.domain_uuid, minutes_per_day=60)
    mine, theirs = dial(acme)[0], dial(globex)[0]
    assert renew(node="node-b", call_uuids=[mine, theirs]) == {}
    assert set(renew(node="node-a", call_uuids=[mine])) == {mine}


def test_a_call_that_comes_back_keeps_what_it_holds(acme: Tenant) -> None:
    """A second node takes over a call of a used-up quota as long as its own time lasts, and no longer."""
    set_quota(domain_uuid=acme.domain_uuid, minutes_per_day=1)
    call_uuid, _ = dial(acme)
    again = open_call(profile=acme.profile(), call_uuid=call_uuid, node="node-b")
    assert again.resumed and again.allowed_s == pytest.approx(60, abs=1)
    with tenant_context(acme.domain_uuid):
        Call.objects.filter(pk=call_uuid).update(started_at=timezone.now() - timedelta(seconds=55))
    with pytest.raises(MinutesUsedUp):
        open_call(profile=acme.profile(), call_uuid=call_uuid, node="node-c")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("quota", [{"minutes_per_day": 1}, {"money_per_day": Decimal(1)}])
def test_ten_threads_race_for_the_last_minute(quota: dict[str, object]) -> None:
    """Exactly one gets it."""
    acme = make_tenant("acme.example")
    price("1")
    set_quota(domain_uuid=acme.domain_uuid, **quota)
    profile = acme.profile()
    barrier, results = Barrier(10), []

    def call() -> None:
        barrier.wait()
        try:
            open_call(profile=profile, call_uuid=uuid4(), node="node-a")
            results.append("taken")
        except (MinutesUsedUp, BudgetUsedUp):
            results.append("refused")
        finally:
            connections.close_all()

    threads = [Thread(target=call) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["refused"] * 9 + ["taken"]


AMOUNTS = st.one_of(st.none(), st.integers(1, 10_000))


@given(AMOUNTS, AMOUNTS, AMOUNTS, st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 100))
def test_left_is_never_more_than_any_quota(
    day: int | None, month: int | None, money: int | None, used_s: int, spent_money: int, cents: int
) -> None:
    """The tightest quota decides; nothing is ever owed; without a quota there is no end."""
    quota = Quota(minutes_per_day=day, minutes_per_month=month, money_per_day=money)
    spent = Spent(Decimal(used_s), Decimal(used_s), Decimal(spent_money), Decimal(spent_money))
    second_price = Decimal(cents) / 100
    rest = left(quota, spent, second_price)
    if rest.seconds is None:
        assert day is None and month is None and (money is None or cents == 0)
        return
    assert rest.seconds >= 0
    for minutes in (day, month):
        assert minutes is None or rest.seconds <= max(0, minutes * 60 - used_s)
    if money is not None and cents:
        assert rest.seconds * second_price <= max(Decimal(0), Decimal(money) - spent_money) + Decimal("0.001")


def test_the_day_is_the_domains(acme: Tenant) -> None:
    """A day begins at midnight of the domain's time zone, not of the server's."""
    from zoneinfo import ZoneInfo

    from secretary.services.allowance import next_month, used_of

    moment = datetime(2026, 11, 22, 1, 30, tzinfo=UTC).astimezone(ZoneInfo("America/Sao_Paulo"))
    assert moment.date().isoformat() == "2026-11-21"
    assert next_month(datetime(2026, 12, 31, tzinfo=UTC).date()).isoformat() == "2027-01-01"
    with tenant_context(acme.domain_uuid):
        assert used_of(moment.date()) == Spent()
