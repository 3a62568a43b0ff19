"""Who sends what: a delivery is claimed for one attempt and given back with its result, by conditional updates."""

from __future__ import annotations

import random
import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import Count, F, Q

from secretary.webhooks import retry
from secretary.webhooks.attempt import Claimed, Result
from secretary.webhooks.models import Delivery, DeliveryState, Webhook
from tenants import audit
from tenants.context import tenant_context

log = structlog.get_logger(__name__)

STALE_AFTER: Final = timedelta(seconds=120)
"""A claim older than this has lost its worker: an attempt takes 15 s at most."""
PER_WEBHOOK: Final = 2
"""Attempts at one receiver at a time: the domain's other receivers always have lanes left."""
_chance: Final = secrets.SystemRandom()


def claim_next(*, domain_uuid: UUID, now: datetime) -> Claimed | None:
    """The delivery that has been due for longest, for this worker alone. None: nothing is due, or all lanes are taken.

    Counting and claiming happen under a lock of the tenant, so that its limit holds across all workers.
    """
    with tenant_context(domain_uuid):
        _lock_lanes(domain_uuid)
        busy = dict(
            Delivery.objects.filter(state=DeliveryState.SENDING, claimed_at__gt=now - STALE_AFTER)
            .order_by()
            .values_list("webhook_id")
            .annotate(Count("pk"))
        )
        if sum(busy.values()) >= settings.WEBHOOKS_PER_DOMAIN:
            return None
        row = (
            Delivery.objects.filter(due(now))
            .exclude(webhook_id__in=[webhook for webhook, count in busy.items() if count >= PER_WEBHOOK])
            .select_for_update(of=("self",), skip_locked=True)
            .order_by("next_attempt_at", "event__occurred_at")
            .values_list("delivery_uuid", "webhook_id", "event_id", "attempts")
            .first()
        )
        if row is None:
            return None
        delivery_uuid, webhook_uuid, event_uuid, attempts = row
        Delivery.objects.filter(pk=delivery_uuid).update(
            state=DeliveryState.SENDING, claimed_at=now, attempts=attempts + 1, updated_at=now
        )
    return Claimed(domain_uuid, delivery_uuid, webhook_uuid, event_uuid, attempts + 1)


def due(now: datetime) -> Q:
    """What may be sent now."""
    rested = Q(webhook__not_before__isnull=True) | Q(webhook__not_before__lte=now)
    return rested & Q(
        state=DeliveryState.WAITING,
        next_attempt_at__lte=now,
        expires_at__gt=now,
        webhook__enabled=True,
        domain__enabled=True,
    )


def finish(claimed: Claimed, result: Result, *, now: datetime, chance: random.Random = _chance) -> bool:
    """Write down how an attempt went, and what follows. False: it was taken for lost and is somebody else's now."""
    with tenant_context(claimed.domain_uuid):
        # The webhook first: the order of locks is the same everywhere.
        webhook = (
            Webhook.objects.select_for_update(of=("self",))
            .defer("secret", "previous_secret")
            .filter(pk=claimed.webhook_uuid)
            .first()
        )
        mine = Delivery.objects.filter(pk=claimed.delivery_uuid, state=DeliveryState.SENDING, attempts=claimed.attempt)
        delivery = mine.select_for_update(of=("self",)).first()
        if webhook is None or delivery is None:
            return False
        delivery.response_status = result.status
        delivery.response_body = result.body
        delivery.error = result.error
        delivery.duration_ms = result.duration_ms
        if result.is_success:
            delivery.state, delivery.finished_at = DeliveryState.DELIVERED, now
            _went_well(webhook, now)
        else:
            again = now + retry.pause(claimed.attempt, chance=chance, wish_s=result.retry_after_s)
            if again >= delivery.expires_at or result.is_gone:
                delivery.state, delivery.finished_at = DeliveryState.FAILED, now
            else:
                delivery.state, delivery.next_attempt_at = DeliveryState.WAITING, again
        delivery.save()
        if not result.is_success:
            _went_wrong(webhook, result, now)
    return True


def _went_well(webhook: Webhook, now: datetime) -> None:
    Webhook.objects.filter(pk=webhook.pk).update(
        consecutive_failures=0, failing_since=None, not_before=None, last_success_at=now
    )


def _went_wrong(webhook: Webhook, result: Result, now: datetime) -> None:
    failures = webhook.consecutive_failures + 1
    since = webhook.failing_since or now
    rest = retry.breather(failures)
    Webhook.objects.filter(pk=webhook.pk).update(
        consecutive_failures=F("consecutive_failures") + 1,
        failing_since=since,
        not_before=now + rest if rest is not None else None,
    )
    if webhook.enabled and result.is_gone:
        switch_off(webhook, "gone", now)
    elif webhook.enabled and retry.is_hopeless(failures=failures, failing_since=since, now=now):
        switch_off(webhook, "failing", now)


def switch_off(webhook: Webhook, reason: str, now: datetime) -> None:
    """Stop a webhook that is of no use, with a line in the record; what was waiting is given up. Replay brings it back.

    Inside the tenant, with the webhook locked.
    """
    Webhook.objects.filter(pk=webhook.pk).update(enabled=False, disabled_reason=reason, updated_at=now)
    given_up = Delivery.objects.filter(webhook=webhook, state=DeliveryState.WAITING).update(
        state=DeliveryState.FAILED, error="switched_off", finished_at=now, updated_at=now
    )
    subject = audit.subject_of(webhook)
    audit.log("webhook.switched-off", subject, old={"enabled": True}, new={"enabled": False, "reason": reason})
    log.warning("webhook.switched_off", webhook=str(webhook.pk), reason=reason, given_up=given_up)


def _lock_lanes(domain_uuid: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"webhook-lanes:{domain_uuid}"])
