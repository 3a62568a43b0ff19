"""What stands still is moved, what is over ends, what is old goes: in all tenants."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from secretary.webhooks import outbox
from secretary.webhooks.attempt import Result
from secretary.webhooks.claims import claim_next, finish
from secretary.webhooks.models import WebhookEvent
from secretary.webhooks.services import replay_delivery
from secretary.webhooks.sweep import Swept, forget, sweep
from tenants.context import tenant_context
from tests.cast import Tenant
from tests.receiver import Receiver, answer
from tests.secretary.webhooks.post import Clock, deliver, deliveries, happen, hook, only

pytestmark = [pytest.mark.django_db]


def test_due_domains_are_kicked(
    acme: Tenant, globex: Tenant, receiver: Receiver, clock: Clock, kicks: list[str]
) -> None:
    """Once for each domain with something due; not while its receiver has a breather."""
    receiver.then(answer(500))
    for tenant in (acme, globex):
        hook(tenant, receiver)
        happen(tenant)
    happen(acme)
    assert sweep(clock()) == Swept(domains=2) and sorted(kicks) == sorted(
        [str(acme.domain_uuid), str(globex.domain_uuid)]
    )
    deliver(acme, clock)
    assert sweep(clock()).domains == 1
    clock.pass_by(seconds=13)
    assert sweep(clock()).domains == 2


def test_worker_died(acme: Tenant, receiver: Receiver, clock: Clock, kicks: list[str]) -> None:
    """A claim without a result is taken back after two minutes; the worker that turns out to be alive is too late."""
    hook(acme, receiver)
    happen(acme)
    dead = claim_next(domain_uuid=acme.domain_uuid, now=clock())
    assert dead is not None and claim_next(domain_uuid=acme.domain_uuid, now=clock()) is None
    clock.pass_by(seconds=119)
    assert sweep(clock()).requeued == 0
    clock.pass_by(seconds=1)
    assert sweep(clock()) == Swept(requeued=1, domains=1)
    assert only(acme).error == "worker_lost"
    claimed = claim_next(domain_uuid=acme.domain_uuid, now=clock())
    assert claimed is not None and claimed.attempt == 2
    assert not finish(dead, Result(status=500), now=clock())
    assert finish(claimed, Result(status=200), now=clock())
    assert not finish(claimed, Result(status=500), now=clock())
    assert (only(acme).state, only(acme).attempts) == ("delivered", 2)


def test_expired(acme: Tenant, receiver: Receiver, clock: Clock, kicks: list[str]) -> None:
    """What could not be sent for three days (a switched-off domain, a breather) ends without another attempt."""
    hook(acme, receiver)
    happen(acme)
    clock.pass_by(days=3)
    assert sweep(clock()) == Swept(expired=1) and kicks == []
    assert only(acme).state == "failed" and deliver(acme, clock) == 0


def test_broker_gone(acme: Tenant, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a broker nothing breaks and nothing is lost."""

    def gone(*_: object) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr("secretary.webhooks.tasks.deliver.apply_async", gone)
    hook(acme, receiver)
    happen(acme)
    assert not outbox.kick(acme.domain_uuid) and sweep(clock()).domains == 1
    assert deliver(acme, clock) == 1


def test_forget(acme: Tenant, globex: Tenant, receiver: Receiver, clock: Clock, kicks: list[str]) -> None:
    """After 30 days an event goes with its deliveries, unless it is being sent again."""
    for tenant in (acme, globex):
        hook(tenant, receiver)
        happen(tenant)
        deliver(tenant, clock)
    old = timezone.now() + timedelta(days=31)
    assert forget(timezone.now() + timedelta(days=29)) == 0
    with tenant_context(acme.domain_uuid):
        [row] = deliveries(acme)
        replay_delivery(webhook_uuid=row.webhook_id, delivery_uuid=row.pk)
    assert forget(old) == 1
    assert deliveries(globex) == [] and len(deliveries(acme)) == 2
    deliver(acme, clock)
    assert forget(old) == 1
    with tenant_context(acme.domain_uuid):
        assert not WebhookEvent.objects.exists()
