"""Looking after deliveries in all tenants: what lost its worker, what is due again, what is over, what is old."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from secretary.webhooks.claims import STALE_AFTER, due
from secretary.webhooks.models import Delivery, DeliveryState, WebhookEvent
from secretary.webhooks.models.delivery import OPEN
from secretary.webhooks.outbox import kick
from tenants.context import platform_context

log = structlog.get_logger(__name__)

BATCH: Final = 500
"""Rows of each kind that one sweep touches; the next one is 15 s away."""
OLD_BATCH: Final = 1_000
OLD_BATCHES: Final = 100


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did: deliveries taken back and given up, and domains whose lanes were asked for."""

    requeued: int = 0
    expired: int = 0
    domains: int = 0


def sweep(now: datetime | None = None) -> Swept:
    """Harmless beside another sweep and beside the workers."""
    moment = now or timezone.now()
    with platform_context():
        lost = Q(state=DeliveryState.SENDING, claimed_at__lte=moment - STALE_AFTER)
        # It may have been delivered before the worker died: at least once, not at most.
        requeued = Delivery.objects.filter(_batch(lost)).update(
            state=DeliveryState.WAITING, error="worker_lost", next_attempt_at=moment, updated_at=moment
        )
        over = Q(state=DeliveryState.WAITING, expires_at__lte=moment)
        expired = Delivery.objects.filter(_batch(over)).update(
            state=DeliveryState.FAILED, finished_at=moment, updated_at=moment
        )
        domains = list(Delivery.objects.filter(due(moment)).order_by().values_list("domain_id", flat=True).distinct())
    for domain_uuid in domains:
        if not kick(domain_uuid):
            break  # the broker is gone; the next sweep tries again
    swept = Swept(requeued, expired, len(domains))
    if requeued or expired:
        log.info("webhooks.swept", requeued=requeued, expired=expired, domains=len(domains))
    return swept


def forget(now: datetime | None = None) -> int:
    """Delete events, with their deliveries, that are older than WEBHOOKS_KEPT_DAYS. Returns how many events."""
    limit = (now or timezone.now()) - timedelta(days=settings.WEBHOOKS_KEPT_DAYS)
    forgotten = 0
    for _ in range(OLD_BATCHES):
        with platform_context():
            # A replay of an old event that is still under way keeps it.
            under_way = Delivery.objects.filter(event_id=OuterRef("pk"), state__in=OPEN)
            old = WebhookEvent.objects.filter(~Exists(under_way), occurred_at__lt=limit)
            uuids = list(old.order_by("occurred_at").values_list("pk", flat=True)[:OLD_BATCH])
            WebhookEvent.objects.filter(pk__in=uuids).delete()
        forgotten += len(uuids)
        if len(uuids) < OLD_BATCH:
            break
    if forgotten:
        log.info("webhooks.forgotten", events=forgotten)
    return forgotten


def _batch(condition: Q) -> Q:
    rows = Delivery.objects.filter(condition).select_for_update(skip_locked=True).order_by("next_attempt_at")
    return Q(pk__in=list(rows.values_list("pk", flat=True)[:BATCH]))
