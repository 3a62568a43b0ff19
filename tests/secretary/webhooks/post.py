"""What the tests of webhooks share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.utils import timezone
from pytest_django import Settings

from secretary.webhooks import lanes
from secretary.webhooks.models import Delivery
from secretary.webhooks.outbox import emit
from secretary.webhooks.services import Issued, create_webhook
from tenants.context import tenant_context
from tests.cast import Tenant
from tests.receiver import Received, Receiver


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.time = timezone.now() + timedelta(seconds=1)

    def __call__(self) -> datetime:
        return self.time

    def pass_by(self, **span: float) -> None:
        self.time += timedelta(**span)


def let_through(settings: Settings, *receivers: Receiver) -> None:
    """What an operator says for an internal host."""
    settings.EGRESS_ALLOW = [*settings.EGRESS_ALLOW, *(f"127.0.0.1:{one.port}" for one in receivers)]


def hook(tenant: Tenant, receiver: Receiver, events: Sequence[str] = ("*",), **more: Any) -> Issued:
    """A webhook of a tenant."""
    with tenant_context(tenant.domain_uuid):
        return create_webhook(url=more.pop("url", receiver.url()), events=list(events), **more)


def happen(tenant: Tenant, event_type: str = "call.ended", **payload: object) -> UUID:
    """Something that the tenant's webhooks are told."""
    event_uuid = emit(tenant.domain_uuid, event_type, payload)
    assert event_uuid is not None
    return event_uuid


def deliver(tenant: Tenant, clock: Clock, **more: Any) -> int:
    """One lane, as a worker runs it. Returns how many attempts were made."""
    return lanes.run(domain_uuid=tenant.domain_uuid, now=clock, **more)


def deliveries(tenant: Tenant) -> list[Delivery]:
    """The tenant's deliveries, oldest first."""
    with tenant_context(tenant.domain_uuid):
        return list(Delivery.objects.select_related("event").order_by("created_at"))


def only(tenant: Tenant) -> Delivery:
    [delivery] = deliveries(tenant)
    return delivery


def content(received: Received) -> dict[str, Any]:
    """A message's body."""
    body: dict[str, Any] = orjson.loads(received.body)
    return body
