"""Writes: webhooks as people and programs set them up. Inside a tenant; each is one transaction and one audit line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from secretary.services.optimistic import lock_settings, lock_unchanged
from secretary.webhooks import signing
from secretary.webhooks.catalogue import EVERYTHING, PING, VERSION
from secretary.webhooks.models import Delivery, DeliveryState, Webhook, WebhookEvent
from secretary.webhooks.models.delivery import OPEN
from secretary.webhooks.models.webhook import MAX_PER_DOMAIN
from secretary.webhooks.outbox import plan
from tenants import audit

OVERLAP: Final = timedelta(hours=24)
"""How long the previous secret still signs after a rotation, unless told otherwise."""
MAX_OVERLAP: Final = timedelta(days=7)
MAX_REPLAY: Final = 1_000
"""Events of one replay."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A webhook and, for this one moment, its secret."""

    webhook: Webhook
    secret: str


@transaction.atomic
def create_webhook(*, webhook_uuid: UUID | None = None, **values: Any) -> Issued:
    """Make a webhook. Raises ValidationError by field, also where the domain has enough of them."""
    lock_settings()
    if Webhook.objects.count() >= MAX_PER_DOMAIN:
        raise ValidationError(
            _("A domain can have %(most)d webhooks. Remove one first.") % {"most": MAX_PER_DOMAIN}, code="too_many"
        )
    webhook = Webhook(webhook_uuid=webhook_uuid or uuid4(), secret=signing.new_secret())
    _store(webhook, values, new=True)
    return Issued(webhook, webhook.secret)


@transaction.atomic
def update_webhook(*, webhook_uuid: UUID, seen_at: datetime | None, **values: Any) -> Webhook:
    """Change one that was last seen at `seen_at`. Raises DoesNotExist, StaleRowError, ValidationError.

    Switching it on, or giving it another address, is a new beginning: earlier failures no longer count.
    """
    lock_settings()
    webhook = lock_unchanged(Webhook, webhook_uuid, seen_at)
    enabled, url = webhook.enabled, webhook.url
    fresh = (values.get("enabled", enabled) and not enabled) or values.get("url", url) != url
    _store(webhook, values, new=False)
    if fresh:
        begin_anew([webhook])
    return webhook


def begin_anew(webhooks: Sequence[Webhook]) -> None:
    """Earlier failures no longer count."""
    beginning: dict[str, Any] = {"consecutive_failures": 0, "failing_since": None, "not_before": None}
    if webhooks:
        keys = [webhook.pk for webhook in webhooks]
        Webhook.objects.filter(pk__in=keys).update(**beginning, disabled_reason="")
    for webhook in webhooks:
        webhook.disabled_reason = ""


def _store(webhook: Webhook, values: dict[str, Any], *, new: bool) -> None:
    before = audit.before(webhook)
    for name, value in values.items():
        setattr(webhook, name, value)
    chosen = set(webhook.events or ())
    webhook.events = [EVERYTHING] if EVERYTHING in chosen else sorted(chosen)
    webhook.full_clean()
    webhook.save(force_insert=new)
    audit.saved(webhook, before)


@transaction.atomic
def delete_webhook(*, webhook_uuid: UUID) -> None:
    """Remove one with its deliveries. Raises DoesNotExist."""
    webhook = Webhook.objects.get(pk=webhook_uuid)
    audit.deleted(webhook)
    webhook.delete()


@transaction.atomic
def rotate_secret(*, webhook_uuid: UUID, overlap: timedelta = OVERLAP) -> Issued:
    """Give a webhook a new secret; the one before signs beside it for a while. Raises DoesNotExist, ValidationError."""
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise ValidationError(_("The old secret can stay valid for 7 days at most."), code="overlap")
    webhook = Webhook.objects.select_for_update(of=("self",)).get(pk=webhook_uuid)
    webhook.previous_secret = webhook.secret if overlap else None
    webhook.previous_expires_at = timezone.now() + overlap if overlap else None
    webhook.secret = signing.new_secret()
    webhook.save()
    audit.log("webhook.secret-renewed", audit.subject_of(webhook), new={"overlap_s": overlap.total_seconds()})
    return Issued(webhook, webhook.secret)


@transaction.atomic
def send_ping(*, webhook_uuid: UUID) -> Delivery:
    """Send a test event to one webhook, also to one that is switched on for other events. Raises DoesNotExist."""
    webhook = Webhook.objects.defer("secret", "previous_secret").get(pk=webhook_uuid)
    now = timezone.now()
    event = WebhookEvent.objects.create(
        domain_id=webhook.domain_uuid,
        type=PING,
        version=VERSION,
        payload={"webhook_uuid": str(webhook.pk)},
        occurred_at=now,
    )
    [delivery] = plan(event, [webhook.pk], now=now)
    return delivery


@transaction.atomic
def replay_delivery(*, webhook_uuid: UUID, delivery_uuid: UUID) -> Delivery:
    """Send an event to its webhook again, under the same id. Raises DoesNotExist, ValidationError while it is open."""
    webhook = _enabled(webhook_uuid)
    old = Delivery.objects.select_related("event").get(pk=delivery_uuid, webhook=webhook)
    if Delivery.objects.filter(event=old.event, webhook=webhook, state__in=OPEN).exists():
        raise ValidationError(_("It is being delivered already."), code="open")
    [delivery] = plan(old.event, [webhook.pk], now=timezone.now(), replay=True)
    audit.log("webhook.sent-again", audit.subject_of(webhook), new={"delivery_uuid": str(delivery_uuid)})
    return delivery


@transaction.atomic
def replay_range(*, webhook_uuid: UUID, since: datetime, until: datetime, only_failed: bool = False) -> int:
    """Send the events of a time range again that the webhook wants, oldest first; returns how many.

    Also those from before it was made. `only_failed`: just those that were never delivered to it. Events that are
    under way are left alone. Raises DoesNotExist, ValidationError (also for more than MAX_REPLAY).
    """
    webhook = _enabled(webhook_uuid)
    if since >= until:
        raise ValidationError({"until": _("The end must be after the beginning.")})
    events = WebhookEvent.objects.filter(occurred_at__gte=since, occurred_at__lt=until).exclude(type=PING)
    if EVERYTHING not in webhook.events:
        events = events.filter(type__in=webhook.events)
    mine = Delivery.objects.filter(event_id=OuterRef("pk"), webhook=webhook)
    events = events.exclude(Exists(mine.filter(state__in=OPEN)))
    if only_failed:
        events = events.exclude(Exists(mine.filter(state=DeliveryState.DELIVERED)))
    found = list(events.order_by("occurred_at")[: MAX_REPLAY + 1])
    if len(found) > MAX_REPLAY:
        raise ValidationError(
            _("These are more than %(most)d events. Choose a shorter time.") % {"most": MAX_REPLAY}, code="too_many"
        )
    now = timezone.now()
    for event in found:
        plan(event, [webhook.pk], now=now, replay=True)
    audit.log(
        "webhook.sent-again",
        audit.subject_of(webhook),
        new={"since": since, "until": until, "only_failed": only_failed, "events": len(found)},
    )
    return len(found)


def _enabled(webhook_uuid: UUID) -> Webhook:
    webhook = Webhook.objects.select_for_update(of=("self",)).defer("secret", "previous_secret").get(pk=webhook_uuid)
    if not webhook.enabled:
        raise ValidationError(_("The webhook is switched off. Switch it on first."), code="switched_off")
    return webhook
