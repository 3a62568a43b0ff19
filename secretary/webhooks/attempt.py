"""One attempt to deliver: build the message, sign it, send it through the egress guard. No transaction is open."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import orjson

from secretary.services import clean
from secretary.webhooks import signing
from secretary.webhooks.models import Webhook, WebhookEvent
from secretary.webhooks.models.delivery import KEPT_BODY
from tenants import egress
from tenants.context import give_connection_back, tenant_context
from tenants.errors import UndecryptableError

LIMITS: Final = egress.Limits(connect_s=5.0, total_s=15.0, max_body=KEPT_BODY, cut=True)
USER_AGENT: Final = "VoiceSecretary-Webhooks/1"
GONE: Final = 410
"""The receiver's way to say: never again."""

Send = Callable[..., egress.Response]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this worker has, and the number of the attempt that it is about to make."""

    domain_uuid: UUID
    delivery_uuid: UUID
    webhook_uuid: UUID
    event_uuid: UUID
    attempt: int


@dataclass(frozen=True, slots=True)
class Result:
    """How an attempt went. Either `status`, or `error`: a reason of `tenants.egress`, or `secret`, `deleted`."""

    status: int | None = None
    body: str = ""
    error: str = ""
    duration_ms: int = 0
    retry_after_s: float | None = None

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        return self.status == GONE


def message(event: WebhookEvent) -> bytes:
    """The body: always the same bytes for the same event."""
    content: dict[str, Any] = {
        "id": str(event.event_uuid),
        "type": event.type,
        "version": event.version,
        "occurred_at": event.occurred_at.astimezone(UTC).isoformat(),
        "domain_uuid": str(event.domain_uuid),
        "data": event.payload,
    }
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def attempt(claimed: Claimed, *, now: datetime, send: Send = egress.request) -> Result:
    """Send it once. Never raises for what a receiver, a URL or a key does."""
    begun = time.monotonic()
    try:
        with tenant_context(claimed.domain_uuid):
            webhook = Webhook.objects.filter(pk=claimed.webhook_uuid).first()
            event = WebhookEvent.objects.filter(pk=claimed.event_uuid).first()
        if webhook is None or event is None:
            return Result(error="deleted")
        body = message(event)
        signed = signing.headers(webhook.live_secrets(now), message_id=str(event.event_uuid), now=now, body=body)
        about = {
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            "Webhook-Delivery": str(claimed.delivery_uuid),
            "Webhook-Attempt": str(claimed.attempt),
        }
        give_connection_back()  # the receiver may take fifteen seconds
        response = send("POST", webhook.url, headers={**about, **signed}, body=body, limits=LIMITS)
    except UndecryptableError:
        return Result(error="secret")
    except egress.EgressError as error:
        return Result(error=error.reason, duration_ms=_since(begun))
    return Result(
        status=response.status,
        body=clean.text(response.body.decode("utf-8", "replace"), KEPT_BODY),
        duration_ms=_since(begun),
        retry_after_s=_retry_after(response.headers.get("retry-after", "")),
    )


def _retry_after(text: str) -> float | None:
    """Seconds; the form with a date is not taken."""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)
