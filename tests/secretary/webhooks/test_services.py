"""Setting webhooks up: what is refused, what is recorded, what is never shown."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from pytest_django import Settings

from secretary.services.optimistic import StaleRowError
from secretary.webhooks.models import Webhook
from secretary.webhooks.models.webhook import MAX_PER_DOMAIN
from secretary.webhooks.selectors import get_webhook, list_webhooks
from secretary.webhooks.services import create_webhook, delete_webhook, rotate_secret, send_ping, update_webhook
from tenants.context import tenant_context
from tenants.models.audit import AuditEvent
from tests.cast import Tenant
from tests.receiver import Receiver, answer
from tests.secretary.webhooks.post import Clock, content, deliver, deliveries, happen, hook, only

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("kicks")]

INSIDE = (
    "http://127.0.0.1/", "http://localhost:22/", "https://169.254.169.254/latest/meta-data/", "https://[::1]/",
    "https://[::ffff:10.0.0.1]/", "https://[64:ff9b::7f00:1]/", "http://0/", "http://2130706433/", "http://0x7f.1/",
    "https://user:password@hooks.example/", "file:///etc/passwd", "https://hooks.example:6379/", "hooks.example", "",
)  # fmt: skip


@pytest.mark.parametrize("url", INSIDE)
def test_addresses_that_are_refused(acme: Tenant, url: str) -> None:
    """What can be told from the address alone is told when it is typed, beside its field."""
    with tenant_context(acme.domain_uuid):
        with pytest.raises(ValidationError) as caught:
            create_webhook(url=url, events=["*"])
        assert set(caught.value.message_dict) == {"url"}
        assert Webhook.objects.count() == 0


@pytest.mark.parametrize("events", [[], ["call.exploded"], ["*", "nothing"], [""]])
def test_events_that_are_refused(acme: Tenant, events: list[str]) -> None:
    """At least one, and only those that there are."""
    with tenant_context(acme.domain_uuid):
        try:
            issued = create_webhook(url="https://hooks.example/", events=events)
        except ValidationError as error:
            assert set(error.message_dict) == {"events"}
        else:
            assert events == ["*", "nothing"] and issued.webhook.events == ["*"]


def test_at_most(acme: Tenant, globex: Tenant) -> None:
    """A domain has so many and no more; another domain's do not count."""
    for tenant in (globex, acme):
        with tenant_context(tenant.domain_uuid):
            for _ in range(MAX_PER_DOMAIN):
                create_webhook(url="https://hooks.example/", events=["*"])
            with pytest.raises(ValidationError):
                create_webhook(url="https://hooks.example/", events=["*"])


def test_secret_is_encrypted_and_shown_once(acme: Tenant) -> None:
    """The database has ciphertext, the record of changes a mask, and the reads do not fetch it."""
    with tenant_context(acme.domain_uuid):
        first = create_webhook(url="https://hooks.example/", events=["*"])
        second = rotate_secret(webhook_uuid=first.webhook.pk)
        with connection.cursor() as cursor:
            cursor.execute("select secret, previous_secret from webhooks_webhook")
            stored = str(cursor.fetchone())
        record = str(list(AuditEvent.objects.values_list("old", "new")))
        assert first.secret != second.secret
        for secret in (first.secret, second.secret):
            assert secret.startswith("whsec_") and secret not in stored + record
        for row in (*list_webhooks(), get_webhook(webhook_uuid=first.webhook.pk)):
            assert row is not None and row.get_deferred_fields() == {"secret", "previous_secret"}


def test_every_write_is_recorded(acme: Tenant) -> None:
    """Made, changed, rotated, removed."""
    with tenant_context(acme.domain_uuid):
        row = create_webhook(url="https://hooks.example/", events=["*"]).webhook
        row = update_webhook(webhook_uuid=row.pk, seen_at=row.updated_at, description="CRM")
        rotate_secret(webhook_uuid=row.pk)
        delete_webhook(webhook_uuid=row.pk)
        lines = AuditEvent.objects.filter(object_id=row.pk).order_by("at")
        assert list(lines.values_list("action", flat=True)) == [
            "webhook.created", "webhook.changed", "webhook.secret-renewed", "webhook.deleted",
        ]  # fmt: skip


def test_stale(acme: Tenant) -> None:
    """Nobody's change is overwritten unseen; deliveries do not count as changes."""
    with tenant_context(acme.domain_uuid):
        row = create_webhook(url="https://hooks.example/", events=["*"]).webhook
        Webhook.objects.filter(pk=row.pk).update(consecutive_failures=3)
        update_webhook(webhook_uuid=row.pk, seen_at=row.updated_at, description="one")
        with pytest.raises(StaleRowError):
            update_webhook(webhook_uuid=row.pk, seen_at=row.updated_at, description="two")


def test_a_new_beginning(acme: Tenant, receiver: Receiver, clock: Clock) -> None:
    """Switched on again, a webhook's failures are forgotten."""
    receiver.then(answer(410), answer())
    issued = hook(acme, receiver)
    happen(acme)
    deliver(acme, clock)
    with tenant_context(acme.domain_uuid):
        row = Webhook.objects.get()
        assert row.disabled_reason == "gone"
        update_webhook(webhook_uuid=row.pk, seen_at=row.updated_at, enabled=True)
        row = Webhook.objects.get()
        assert (row.disabled_reason, row.consecutive_failures, row.failing_since) == ("", 0, None)
    happen(acme)
    assert deliver(acme, clock) == 1 and deliveries(acme)[-1].state == "delivered"
    assert issued.webhook.pk == row.pk


def test_overlap(acme: Tenant) -> None:
    """None at all for a secret that leaked; a week at most."""
    with tenant_context(acme.domain_uuid):
        row = create_webhook(url="https://hooks.example/", events=["*"]).webhook
        rotate_secret(webhook_uuid=row.pk, overlap=timedelta(0))
        assert Webhook.objects.get().previous_secret is None
        for wrong in (timedelta(days=8), timedelta(seconds=-1)):
            with pytest.raises(ValidationError):
                rotate_secret(webhook_uuid=row.pk, overlap=wrong)


def test_ping(acme: Tenant, receiver: Receiver, clock: Clock) -> None:
    """A test goes to the one webhook, whatever it has chosen."""
    hook(acme, receiver, url=receiver.url("/other"))
    issued = hook(acme, receiver, ["call.ended"])
    with tenant_context(acme.domain_uuid):
        send_ping(webhook_uuid=issued.webhook.pk)
    assert deliver(acme, clock) == 1
    assert content(receiver.received[0])["type"] == "webhook.ping" and receiver.received[0].path == "/hook"
    assert only(acme).state == "delivered"


def test_allowed_host(acme: Tenant, settings: Settings) -> None:
    """What the operator permits can be typed."""
    settings.EGRESS_ALLOW = ["crm.internal:8081"]
    with tenant_context(acme.domain_uuid):
        assert create_webhook(url="http://crm.internal:8081/x", events=["*"]).webhook.pk
