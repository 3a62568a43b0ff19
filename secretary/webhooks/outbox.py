"""Writing an event down, in the transaction of the fact itself: neither is there without the other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from uuid import UUID, uuid4, uuid5

import structlog
from django.db import transaction
from django.utils import timezone

from secretary.services import clean
from secretary.webhooks.catalogue import EVENT_TYPES, VERSION
from secretary.webhooks.models import Delivery, Webhook, WebhookEvent
from secretary.webhooks.retry import KEEP_TRYING
from tenants.context import tenant_context

log = structlog.get_logger(__name__)


def emit(
    domain_uuid: UUID,
    event_type: str,
    payload: Mapping[str, object],
    *,
    fact: str = "",
    occurred_at: datetime | None = None,
) -> UUID | None:
    """Tell the domain's webhooks that something happened. Returns the event's UUID; None: the domain has no webhook.

    Call it where the fact is written, inside the same transaction. `payload` holds what the receiver may know: no
    secrets, nothing of another tenant, UUIDs and ISO 8601 times as text. `fact` names the fact among those of its type
    (a call's UUID): the same one told twice is one event. Raises ValueError for a type that is not in the catalogue.
    """
    if event_type not in EVENT_TYPES:
        raise ValueError(f"{event_type} is no type of event")
    now = timezone.now()
    with tenant_context(domain_uuid):
        webhooks = list(Webhook.objects.values_list("webhook_uuid", "enabled", "events"))
        if not webhooks:
            return None
        event, created = WebhookEvent.objects.get_or_create(
            # Of the domain, too: another tenant's event can never be in the way.
            event_uuid=uuid5(domain_uuid, f"{event_type} {fact}") if fact else uuid4(),
            defaults={
                "domain_id": domain_uuid,
                "type": event_type,
                "version": VERSION,
                "payload": clean.json_object(payload),
                "occurred_at": occurred_at or now,
            },
        )
        if not created:
            return event.event_uuid
        wanted = [
            uuid
            for uuid, enabled, events in webhooks
            if enabled and Webhook(webhook_uuid=uuid, events=events).wants(event_type)
        ]
        plan(event, wanted, now=now)
    return event.event_uuid


def plan(event: WebhookEvent, webhook_uuids: list[UUID], *, now: datetime, replay: bool = False) -> list[Delivery]:
    """Make the deliveries of an event and have them sent when the transaction commits. Inside the tenant."""
    deliveries = Delivery.objects.bulk_create(
        Delivery(
            domain_id=event.domain_uuid,
            webhook_id=webhook_uuid,
            event=event,
            replay=replay,
            next_attempt_at=now,
            expires_at=now + KEEP_TRYING,
        )
        for webhook_uuid in webhook_uuids
    )
    if deliveries:
        transaction.on_commit(partial(kick, event.domain_uuid))
    return deliveries


def kick(domain_uuid: UUID) -> bool:
    """Have a worker look at a domain's deliveries now. False: the broker is out of reach, and the sweep will do it."""
    from secretary.webhooks.tasks import deliver

    try:
        deliver.apply_async((str(domain_uuid),))
    except Exception as error:  # kombu raises the transport's own errors, of many kinds
        log.warning("webhooks.not_kicked", domain=str(domain_uuid), error=str(error)[:200])
        return False
    return True
