"""Sending again: one event, or those of a time, under the ids they had."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from secretary.webhooks import services
from secretary.webhooks.services import replay_delivery, replay_range, send_ping, update_webhook
from tenants.context import tenant_context
from tests.cast import Tenant
from tests.receiver import Receiver, answer
from tests.secretary.webhooks.post import Clock, deliver, deliveries, happen, hook, only

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("kicks")]
HOUR = timedelta(hours=1)


def ids(receiver: Receiver) -> list[str]:
    return [got.headers["webhook-id"] for got in receiver.received]


def test_one(acme: Tenant, receiver: Receiver, clock: Clock) -> None:
    """A second delivery of its own in the log, with the same id and body for the receiver."""
    issued = hook(acme, receiver)
    event = str(happen(acme))
    deliver(acme, clock)
    first = only(acme)
    with tenant_context(acme.domain_uuid):
        again = replay_delivery(webhook_uuid=issued.webhook.pk, delivery_uuid=first.pk)
        with pytest.raises(ValidationError, match="already"):
            replay_delivery(webhook_uuid=issued.webhook.pk, delivery_uuid=first.pk)
    deliver(acme, clock)
    assert ids(receiver) == [event] * 2 and receiver.received[0].body == receiver.received[1].body
    assert [(row.replay, row.state) for row in deliveries(acme)] == [(False, "delivered"), (True, "delivered")]
    assert again.pk != first.pk


def test_range(acme: Tenant, receiver: Receiver, clock: Clock) -> None:
    """A webhook that was made too late gets what it would have got; tests and what it did not choose stay out."""
    early = hook(acme, receiver, url=receiver.url("/early"))
    first, _, third = (str(happen(acme, kind)) for kind in ("call.ended", "call.started", "call.ended"))
    with tenant_context(acme.domain_uuid):
        send_ping(webhook_uuid=early.webhook.pk)
    deliver(acme, clock)
    receiver.received.clear()
    late = hook(acme, receiver, ["call.ended"])
    now = timezone.now()
    with tenant_context(acme.domain_uuid):
        about = {"webhook_uuid": late.webhook.pk, "since": now - HOUR, "until": now}
        assert replay_range(**about) == 2
        assert replay_range(**about) == 0  # under way already
        assert replay_range(webhook_uuid=late.webhook.pk, since=now - 2 * HOUR, until=now - HOUR) == 0
    deliver(acme, clock)
    assert ids(receiver) == [first, third] and {got.path for got in receiver.received} == {"/hook"}


def test_only_failed(acme: Tenant, receiver: Receiver, clock: Clock) -> None:
    """After a receiver's bad day: what it never took, and nothing else."""
    receiver.then(answer(), answer(410), answer())
    issued = hook(acme, receiver)
    happen(acme)
    lost = str(happen(acme))
    deliver(acme, clock)
    now = timezone.now()
    with tenant_context(acme.domain_uuid):
        row = issued.webhook
        row.refresh_from_db()
        with pytest.raises(ValidationError, match="switched off"):
            replay_range(webhook_uuid=row.pk, since=now - HOUR, until=now)
        update_webhook(webhook_uuid=row.pk, seen_at=row.updated_at, enabled=True)
        assert replay_range(webhook_uuid=row.pk, since=now - HOUR, until=now, only_failed=True) == 1
    deliver(acme, clock)
    assert ids(receiver)[2:] == [lost]


def test_limits(acme: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end after the beginning, and not too many at once: nothing is sent in part."""
    monkeypatch.setattr(services, "MAX_REPLAY", 2)
    issued = hook(acme, receiver, enabled=False)
    for _ in range(3):
        happen(acme)
    now = timezone.now()
    with tenant_context(acme.domain_uuid):
        row = issued.webhook
        update_webhook(webhook_uuid=row.pk, seen_at=row.updated_at, enabled=True)
        with pytest.raises(ValidationError, match="2 events"):
            replay_range(webhook_uuid=row.pk, since=now - HOUR, until=now)
        with pytest.raises(ValidationError):
            replay_range(webhook_uuid=row.pk, since=now, until=now)
    assert deliveries(acme) == []
