"""What calls use: one record a call, provider and unit; the day's sum is always the sum of the records."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from threading import Barrier, Thread
from uuid import UUID

import pytest
from django.core import mail
from django.db import ProgrammingError, connections, transaction
from django.db.models import Sum
from django.utils import timezone

from secretary.errors import MinutesUsedUp
from secretary.models import Call, ProviderPrice, UsageDay, UsageRecord
from secretary.profiles import CallRecord, UsageItem
from secretary.services.calls import LEASE, finish_call, refuse_call, sweep_calls
from secretary.services.quota_mail import mail_alarms
from secretary.webhooks.models import Webhook, WebhookEvent
from tenants.context import platform_context, tenant_context
from tenants.models import QuotaAlarm
from tenants.quotas import set_quota
from tenants.services import add_member, update_domain
from tests.cast import Tenant, make_tenant


def talk(tenant: Tenant, seconds: float, *, began: datetime | None = None, usage: tuple[UsageItem, ...] = ()) -> Call:
    """A call of this length."""
    call = tenant.call()
    start = began or timezone.now()
    with tenant_context(tenant.domain_uuid):
        Call.objects.filter(pk=call.pk).update(started_at=start)
    record = CallRecord("completed", answered_at=start, ended_at=start + timedelta(seconds=seconds), usage=usage)
    assert finish_call(domain_uuid=tenant.domain_uuid, call_uuid=call.pk, record=record)
    return call


def price(amount: str, unit: str = "second", per: int = 60) -> None:
    with platform_context():
        ProviderPrice.objects.create(provider="local", unit=unit, amount=Decimal(amount), per=per)


def sums(tenant: Tenant) -> dict[str, Decimal]:
    """The day's row, which must be the sum of the records."""
    with tenant_context(tenant.domain_uuid):
        day = UsageDay.objects.get(unit="second")
        total = UsageRecord.objects.filter(unit="second").aggregate(q=Sum("quantity"), a=Sum("amount"))
        assert (day.quantity, day.amount) == (total["q"], total["a"])
        assert day.calls == UsageRecord.objects.filter(unit="second").count()
        return {"seconds": day.quantity, "amount": day.amount}


def test_seconds_and_price(acme: Tenant, globex: Tenant) -> None:
    """From answer to end, at the price of the provider; nothing of it is another tenant's."""
    price("0.60")
    talk(acme, 90)
    talk(acme, 30)
    assert sums(acme) == {"seconds": Decimal("120.000"), "amount": Decimal("1.200000")}
    with tenant_context(globex.domain_uuid):
        assert not UsageDay.objects.exists() and not UsageRecord.objects.exists()


def test_a_new_price_is_for_new_calls(acme: Tenant) -> None:
    """A call under way costs what it did when it came in."""
    price("0.60")
    call = acme.call()
    with platform_context():
        ProviderPrice.objects.update(amount=Decimal(60))
    start = timezone.now()
    record = CallRecord("completed", answered_at=start, ended_at=start + timedelta(seconds=60))
    finish_call(domain_uuid=acme.domain_uuid, call_uuid=call.pk, record=record)
    assert sums(acme)["amount"] == Decimal("0.600000")


def test_tokens(acme: Tenant) -> None:
    """What a provider charges for besides seconds is kept by unit; a unit nobody knows is not."""
    price("5", "output_token", 1_000_000)
    usage = (UsageItem("local", "output_token", 2_000), UsageItem("local", "goodwill", 7))
    talk(acme, 10, usage=usage)
    with tenant_context(acme.domain_uuid):
        rows = {row.unit: row for row in UsageRecord.objects.all()}
    assert set(rows) == {"second", "output_token"}
    assert (rows["output_token"].quantity, rows["output_token"].amount) == (2_000, Decimal("0.010000"))


def test_a_lost_node_and_its_return(acme: Tenant) -> None:
    """A call that was given up has used what its node is known to have lived; the node's own word replaces it."""
    price("0.60")
    call = acme.call()
    now = timezone.now()
    with tenant_context(acme.domain_uuid):
        Call.objects.filter(pk=call.pk).update(started_at=now - timedelta(seconds=200), lease_until=now - LEASE / 2)
    assert sweep_calls() == 1
    assert float(sums(acme)["seconds"]) == pytest.approx(200 - 90, abs=1)
    record = CallRecord("completed", answered_at=now - timedelta(seconds=200), ended_at=now)
    finish_call(domain_uuid=acme.domain_uuid, call_uuid=call.pk, record=record)
    assert sums(acme)["seconds"] == Decimal("200.000")


def test_a_call_that_was_never_answered(acme: Tenant) -> None:
    """It costs nothing and is not counted."""
    call = acme.call()
    finish_call(domain_uuid=acme.domain_uuid, call_uuid=call.pk, record=CallRecord("fallback"))
    with tenant_context(acme.domain_uuid):
        assert not UsageRecord.objects.exists() and not UsageDay.objects.exists()


def test_usage_outlives_the_call(acme: Tenant) -> None:
    """A call that is deleted leaves its figures, not itself."""
    call = talk(acme, 60)
    with tenant_context(acme.domain_uuid):
        Call.objects.get(pk=call.pk).delete()
        assert UsageRecord.objects.get().call_id is None
    assert sums(acme)["seconds"] == 60


@pytest.mark.django_db(transaction=True)
def test_calls_that_end_together() -> None:
    """Ten calls that end at the same moment are all in the day's sum, and tell the quota's end once."""
    acme = make_tenant("acme.example")
    price("0.60")
    set_quota(domain_uuid=acme.domain_uuid, minutes_per_day=10)
    calls: list[UUID] = [acme.call().pk for _ in range(10)]
    barrier = Barrier(10)
    start = timezone.now()

    def end(call_uuid: UUID) -> None:
        barrier.wait()
        record = CallRecord("completed", answered_at=start, ended_at=start + timedelta(seconds=60))
        finish_call(domain_uuid=acme.domain_uuid, call_uuid=call_uuid, record=record)
        connections.close_all()

    threads = [Thread(target=end, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sums(acme) == {"seconds": Decimal("600.000"), "amount": Decimal("6.000000")}
    with tenant_context(acme.domain_uuid):
        assert sorted(QuotaAlarm.objects.values_list("percent", flat=True)) == [80, 100]


def listen(tenant: Tenant) -> None:
    with tenant_context(tenant.domain_uuid):
        Webhook.objects.create(url="https://hooks.example.com/", events=["*"], secret="x")


def test_alarms(acme: Tenant, globex: Tenant, django_user_model: type) -> None:
    """At 80 and at 100 %, each once a period: as webhook, and as mail to the administrators in their language."""
    update_domain(domain_uuid=acme.domain_uuid, language="pt-br")
    set_quota(domain_uuid=acme.domain_uuid, minutes_per_day=10)
    listen(acme)
    listen(globex)
    for name, role in (("alice", "admin"), ("vera", "viewer")):
        user = django_user_model.objects.create_user(name, f"{name}@acme.example")  # type: ignore[attr-defined]
        add_member(domain_uuid=acme.domain_uuid, user_id=user.pk, role=role)
    talk(acme, 470)
    assert mail_alarms() == 0
    talk(acme, 20)
    talk(acme, 20)
    assert mail_alarms() == 1 and mail_alarms() == 0
    assert refuse_call(domain_uuid=acme.domain_uuid, call_uuid=UUID(int=1), reason="minutes_used_up", node="n")
    assert mail_alarms() == 0
    talk(acme, 95)
    assert mail_alarms() == 1
    assert [message.to for message in mail.outbox] == [["alice@acme.example"]] * 2
    assert "80" in mail.outbox[0].subject
    with tenant_context(acme.domain_uuid):
        told = WebhookEvent.objects.filter(type__startswith="quota.").order_by("occurred_at")
        assert [event.type for event in told] == ["quota.warning", "quota.exceeded"]
        assert told[0].payload["kind"] == "minutes" and told[0].payload["percent"] == 80
    with tenant_context(globex.domain_uuid):
        assert not WebhookEvent.objects.filter(type__startswith="quota.").exists()


def test_a_refused_call_tells_the_end(acme: Tenant) -> None:
    """A few seconds that no call may use any more count for nothing: 100 % is told when a caller is turned away."""
    set_quota(domain_uuid=acme.domain_uuid, minutes_per_day=1)
    talk(acme, 45)
    with pytest.raises(MinutesUsedUp):
        acme.call()
    refuse_call(domain_uuid=acme.domain_uuid, call_uuid=UUID(int=1), reason="minutes_used_up", node="n")
    with tenant_context(acme.domain_uuid):
        assert QuotaAlarm.objects.filter(percent=100).exists()


def test_a_mail_server_out_of_reach(acme: Tenant, django_user_model: type, monkeypatch: pytest.MonkeyPatch) -> None:
    """The alarm waits for the next run."""
    user = django_user_model.objects.create_user("alice", "alice@acme.example")  # type: ignore[attr-defined]
    add_member(domain_uuid=acme.domain_uuid, user_id=user.pk, role="admin")
    set_quota(domain_uuid=acme.domain_uuid, minutes_per_day=1)
    talk(acme, 60)

    def unreachable(*_: object) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as broken:
        broken.setattr("secretary.services.quota_mail.send_mail", unreachable)
        assert mail_alarms() == 0
    assert mail_alarms() == 2


def test_the_price_list_is_read_only_for_tenants(acme: Tenant) -> None:
    """A tenant sees what things cost and cannot make them cheaper."""
    price("0.60")
    with tenant_context(acme.domain_uuid):
        assert ProviderPrice.objects.get().amount == Decimal("0.60")
        assert ProviderPrice.objects.update(amount=0) == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            ProviderPrice.objects.create(provider="other", amount=0)
