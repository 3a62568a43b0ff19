"""Reads: webhooks and their deliveries. Inside a tenant; never the secrets."""

from __future__ import annotations

from uuid import UUID

from secretary.selectors.keyset import Cursor, Page, keyset_page
from secretary.webhooks.models import Delivery, Webhook


def list_webhooks() -> list[Webhook]:
    """All webhooks in the order they were made."""
    return list(Webhook.objects.defer("secret", "previous_secret").order_by("created_at", "pk"))


def get_webhook(*, webhook_uuid: UUID) -> Webhook | None:
    return Webhook.objects.defer("secret", "previous_secret").filter(pk=webhook_uuid).first()


def delivery_page(
    *,
    webhook_uuid: UUID,
    state: str = "",
    before: Cursor | None = None,
    after: Cursor | None = None,
    size: int = 50,
) -> Page[Delivery]:
    """A page of one webhook's deliveries, newest first, each with its event."""
    rows = Delivery.objects.select_related("event").filter(webhook_id=webhook_uuid)
    if state:
        rows = rows.filter(state=state)
    return keyset_page(rows, at="created_at", before=before, after=after, size=size)


def get_delivery(*, webhook_uuid: UUID, delivery_uuid: UUID) -> Delivery | None:
    return Delivery.objects.select_related("event").filter(pk=delivery_uuid, webhook_id=webhook_uuid).first()
