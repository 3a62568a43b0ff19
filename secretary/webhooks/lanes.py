"""Delivering a domain's events, one after the other, until nothing is due. Several lanes of a domain may run."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from django.utils import timezone

from secretary.webhooks.attempt import Send, attempt
from secretary.webhooks.claims import claim_next, finish
from secretary.webhooks.outbox import kick
from tenants import egress

log = structlog.get_logger(__name__)

BUDGET_S: Final = 45.0
"""Then the lane ends and asks for another: together with one more attempt well below CELERY_TASK_TIME_LIMIT."""


def run(
    *,
    domain_uuid: UUID,
    now: Callable[[], datetime] = timezone.now,
    send: Send = egress.request,
    budget_s: float = BUDGET_S,
) -> int:
    """Deliver what is due. Returns how many attempts were made."""
    end = time.monotonic() + budget_s
    made = 0
    with structlog.contextvars.bound_contextvars(domain=str(domain_uuid)):
        while (claimed := claim_next(domain_uuid=domain_uuid, now=now())) is not None:
            result = attempt(claimed, now=now(), send=send)
            kept = finish(claimed, result, now=now())
            made += 1
            log.info(
                "webhook.attempt",
                webhook=str(claimed.webhook_uuid),
                delivery=str(claimed.delivery_uuid),
                attempt=claimed.attempt,
                status=result.status,
                error=result.error,
                ms=result.duration_ms,
                kept=kept,
            )
            if time.monotonic() >= end:
                kick(domain_uuid)
                break
    return made
