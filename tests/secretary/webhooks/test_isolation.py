"""Acme's webhooks and globex's never meet."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from secretary.webhooks.attempt import Claimed, Result
from secretary.webhooks.claims import finish
from secretary.webhooks.models import Delivery, Webhook, WebhookEvent
from secretary.webhooks.outbox import emit
from secretary.webhooks.selectors import delivery_page, get_delivery, get_webhook, list_webhooks
from secretary.webhooks.services import (
    delete_webhook,
    replay_delivery,
    replay_range,
    rotate_secret,
    send_ping,
    update_webhook,
)
from tenants.context import tenant_context
from tenants.errors import NoTenantError, TenantConflictError
from tests.cast import Tenant
from tests.receiver import Receiver
from tests.secretary.webhooks.post import Clock, content, deliver, deliveries, happen, hook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("kicks")]


def test_events_stay_at_home(acme: Tenant, globex: Tenant, receiver: Receiver, clock: Clock) -> None:
    """Each gets its own, though both want everything and use the same receiver."""
    hook(acme, receiver, url=receiver.url("/acme"))
    hook(globex, receiver, url=receiver.url("/globex"))
    for tenant in (acme, globex, acme):
        tenant.call()
    assert deliver(acme, clock) == 2 and deliver(globex, clock) == 1
    for got in receiver.received:
        home = acme if got.path == "/acme" else globex
        assert content(got)["domain_uuid"] == str(home.domain_uuid)
        assert content(got)["data"]["secretary_uuid"] == str(home.secretary.pk)
    assert len(receiver.received) == 3


def test_the_same_fact_in_two_domains(acme: Tenant, globex: Tenant, receiver: Receiver) -> None:
    """One name for a fact in two domains makes two events."""
    hook(acme, receiver)
    hook(globex, receiver)
    ids = {emit(tenant.domain_uuid, "call.ended", {}, fact="same") for tenant in (acme, globex)}
    assert len(ids) == 2 and len(deliveries(acme)) == len(deliveries(globex)) == 1


def test_foreign_objects_are_absent(acme: Tenant, globex: Tenant, receiver: Receiver, clock: Clock) -> None:
    """Another tenant's webhook or delivery cannot be seen, changed, rotated, sent to or replayed."""
    issued = hook(globex, receiver)
    mine = hook(acme, receiver)
    happen(globex)
    deliver(globex, clock)
    [theirs] = deliveries(globex)
    now = timezone.now()
    with tenant_context(acme.domain_uuid):
        for uuid in (issued.webhook.pk, uuid4()):
            assert get_webhook(webhook_uuid=uuid) is None
            assert get_delivery(webhook_uuid=uuid, delivery_uuid=theirs.pk) is None
            assert delivery_page(webhook_uuid=uuid).items == []
            for write in (
                lambda uuid=uuid: update_webhook(webhook_uuid=uuid, seen_at=now, description="x"),
                lambda uuid=uuid: delete_webhook(webhook_uuid=uuid),
                lambda uuid=uuid: rotate_secret(webhook_uuid=uuid),
                lambda uuid=uuid: send_ping(webhook_uuid=uuid),
                lambda uuid=uuid: replay_range(webhook_uuid=uuid, since=now - timedelta(hours=1), until=now),
                lambda uuid=uuid: replay_delivery(webhook_uuid=uuid, delivery_uuid=theirs.pk),
            ):
                with pytest.raises(Webhook.DoesNotExist):
                    write()
        with pytest.raises(Delivery.DoesNotExist):
            replay_delivery(webhook_uuid=mine.webhook.pk, delivery_uuid=theirs.pk)
        assert [row.pk for row in list_webhooks()] == [mine.webhook.pk]
        assert replay_range(webhook_uuid=mine.webhook.pk, since=now - timedelta(hours=1), until=now) == 0
    assert len(deliveries(globex)) == 1 and deliveries(acme) == []


def test_a_task_for_another_domain(acme: Tenant, globex: Tenant, receiver: Receiver, clock: Clock) -> None:
    """A result under a foreign domain's name changes nothing; a lane of one domain leaves the other's alone."""
    hook(globex, receiver)
    happen(globex)
    assert deliver(acme, clock) == 0
    [row] = deliveries(globex)
    stolen = Claimed(acme.domain_uuid, row.pk, row.webhook_id, row.event_id, 0)
    assert not finish(stolen, Result(status=200), now=clock())
    assert deliveries(globex)[0].state == "waiting"


def test_emit_across(acme: Tenant, globex: Tenant, receiver: Receiver) -> None:
    """Code that works for one tenant cannot tell another's webhooks anything."""
    hook(globex, receiver)
    with tenant_context(acme.domain_uuid), pytest.raises(TenantConflictError):
        emit(globex.domain_uuid, "call.ended", {})


def test_without_tenant() -> None:
    """A query without a tenant raises."""
    for model in (Webhook, WebhookEvent, Delivery):
        with pytest.raises(NoTenantError):
            model.objects.count()


def test_postgresql_keeps_them_apart(acme: Tenant, globex: Tenant, receiver: Receiver) -> None:
    """The second wall: plain SQL sees one tenant, and a delivery cannot join two."""
    theirs, mine = hook(globex, receiver), hook(acme, receiver)
    event = happen(globex)
    with tenant_context(acme.domain_uuid), connection.cursor() as cursor:
        for table, count in {"webhooks_webhook": 1, "webhooks_webhookevent": 0, "webhooks_delivery": 0}.items():
            cursor.execute(f"select count(*) from {table}")  # noqa: S608
            assert cursor.fetchone() == (count,), table
        for webhook, about in ((mine, event), (theirs, event)):
            with pytest.raises(IntegrityError), transaction.atomic():
                Delivery.objects.create(webhook_id=webhook.webhook.pk, event_id=about, expires_at=timezone.now())
