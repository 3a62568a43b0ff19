"""Webhooks in the panel: made, its secret seen once, tested, rotated, sent again."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from secretary.webhooks.models import Delivery, Webhook, WebhookEvent
from tenants.context import tenant_context
from tests.secretary.panel.cast import Cast


def at(cast: Cast, name: str, *more: str) -> str:
    args = [cast.acme.objects[part] for part in more]
    return reverse(f"panel:{name}", args=[cast.acme.domain.pk, *args])


def hook(cast: Cast) -> Webhook:
    with tenant_context(cast.acme.domain.pk):
        return Webhook.objects.get(pk=cast.acme.objects["webhook_uuid"])


def secret_of(page: str) -> str:
    found = re.search(r'value="(whsec_[^"]+)"', page)
    assert found is not None
    return found[1]


def test_make(cast: Cast, alice: Client) -> None:
    """The secret stands on the answer, and on no page after it."""
    form = {"url": "https://hooks.example/in", "events": ["call.ended", "message.created"], "enabled": "on"}
    response = alice.post(at(cast, "webhook-new"), form)
    assert response.status_code == 200
    shown = secret_of(response.content.decode())
    with tenant_context(cast.acme.domain.pk):
        row = Webhook.objects.get(url=form["url"])
        assert row.secret == shown and row.events == ["call.ended", "message.created"]
    for name in ("webhook", "webhook-settings", "webhook-secret"):
        page = alice.get(reverse(f"panel:{name}", args=[cast.acme.domain.pk, row.pk])).content.decode()
        assert "whsec_" not in page
    assert "whsec_" not in alice.get(at(cast, "record")).content.decode()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://169.254.169.254/latest", "not on the public internet"),
        ("https://hooks.example:25/", "port is not allowed"),
        ("https://me:you@hooks.example/", "whole address"),
    ],
)
def test_refused(cast: Cast, alice: Client, url: str, words: str) -> None:
    """What is wrong with an address stands beside it, and what was typed is kept."""
    response = alice.post(at(cast, "webhook-new"), {"url": url, "events": ["*"]})
    page = response.content.decode()
    assert response.status_code == 422 and words in page and url in page


def test_change(cast: Cast, alice: Client) -> None:
    """Saved; and not over somebody else's change."""
    seen = hook(cast).updated_at.isoformat()
    form = {"url": "https://acme.example/new", "events": ["*"], "seen": seen}
    assert alice.post(at(cast, "webhook-settings", "webhook_uuid"), form).status_code == 302
    assert hook(cast).url == form["url"] and not hook(cast).enabled
    assert alice.post(at(cast, "webhook-settings", "webhook_uuid"), form).status_code == 409


def test_new_secret(cast: Cast, alice: Client) -> None:
    """Another one, shown once; the old one stays valid for as long as was chosen."""
    old = hook(cast).secret
    response = alice.post(at(cast, "webhook-secret", "webhook_uuid"), {"overlap": "1"})
    row = hook(cast)
    assert secret_of(response.content.decode()) == row.secret != old
    assert row.previous_secret == old and row.previous_expires_at is not None
    assert timedelta(minutes=59) < row.previous_expires_at - timezone.now() <= timedelta(hours=1)
    alice.post(at(cast, "webhook-secret", "webhook_uuid"), {"overlap": "0"})
    assert hook(cast).previous_secret is None


def test_test(cast: Cast, alice: Client) -> None:
    """A test is planned for this webhook; one that is switched off says so."""
    page = alice.post(at(cast, "webhook-ping", "webhook_uuid"), follow=True).content.decode()
    assert "The test is on its way" in page and "webhook.ping" in page
    with tenant_context(cast.acme.domain.pk):
        Webhook.objects.update(enabled=False, disabled_reason="failing")
    page = alice.post(at(cast, "webhook-ping", "webhook_uuid"), follow=True).content.decode()
    assert "Switch it on first" in page and "failed for three days" in page
    with tenant_context(cast.acme.domain.pk):
        assert WebhookEvent.objects.filter(type="webhook.ping").count() == 1


def test_log(cast: Cast, alice: Client) -> None:
    """What was sent and what came back; by state; nothing of another tenant."""
    page = alice.get(at(cast, "webhook", "webhook_uuid")).content.decode()
    assert "call.ended" in page and "HTTP 200" in page and "globex" not in page
    assert "No deliveries" in alice.get(at(cast, "webhook", "webhook_uuid") + "?state=failed").content.decode()
    one = alice.get(at(cast, "delivery", "webhook_uuid", "delivery_uuid")).content.decode()
    assert "acme thanks" in one and "acme caller" in one and "globex" not in one


def test_foreign_delivery_below_own_webhook(cast: Cast, alice: Client) -> None:
    """A delivery of another webhook is absent below this one, also within the domain."""
    from secretary.webhooks.services import create_webhook

    with tenant_context(cast.acme.domain.pk):
        other = create_webhook(url="https://other.example/", events=["*"]).webhook
    for name, method in (("delivery", alice.get), ("delivery-again", alice.post)):
        address = reverse(f"panel:{name}", args=[cast.acme.domain.pk, other.pk, cast.acme.objects["delivery_uuid"]])
        assert method(address).status_code == 404


def test_send_again(cast: Cast, alice: Client) -> None:
    """One event, once; then a time range, of which what is under way is left alone."""
    again = at(cast, "delivery-again", "webhook_uuid", "delivery_uuid")
    assert "on its way again" in alice.post(again, follow=True).content.decode()
    assert "being delivered already" in alice.post(again, follow=True).content.decode()
    with tenant_context(cast.acme.domain.pk):
        assert Delivery.objects.filter(replay=True).count() == 1
        Delivery.objects.update(state="failed")
    now = timezone.localtime()
    form = {
        "since": f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "until": f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M}",
    }
    replay = at(cast, "webhook-replay", "webhook_uuid")
    assert "1 event is on its way" in alice.post(replay, form, follow=True).content.decode()
    assert "0 events are" in alice.post(replay, form, follow=True).content.decode()
    response = alice.post(replay, {"since": form["until"], "until": form["since"]})
    assert response.status_code == 422 and "The end must be after" in response.content.decode()


def test_delete(cast: Cast, alice: Client) -> None:
    """Gone with its log."""
    assert alice.post(at(cast, "webhook-delete", "webhook_uuid")).status_code == 302
    with tenant_context(cast.acme.domain.pk):
        assert not Webhook.objects.exists() and not Delivery.objects.exists()
    with tenant_context(cast.globex.domain.pk):
        assert Webhook.objects.exists()


def test_empty(cast: Cast, alice: Client) -> None:
    """A domain without webhooks is told what they are for."""
    with tenant_context(cast.acme.domain.pk):
        Webhook.objects.all().delete()
    assert "No webhook yet" in alice.get(at(cast, "webhooks")).content.decode()
    assert isinstance(cast.acme.domain.pk, UUID)
