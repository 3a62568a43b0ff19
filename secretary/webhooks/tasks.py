"""Celery tasks. A message carries a domain's id and no more; which deliveries are due is in the rows."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from secretary.webhooks import lanes
from secretary.webhooks import sweep as sweeping


@shared_task(name="webhooks.deliver")
def deliver(domain_uuid: str) -> None:
    """One lane of a domain. Queue `webhooks`, whose workers may wait for slow receivers."""
    lanes.run(domain_uuid=UUID(domain_uuid))


@shared_task(name="webhooks.sweep")
def sweep() -> None:
    """Look after deliveries that stand still."""
    sweeping.sweep()


@shared_task(name="webhooks.forget")
def forget() -> None:
    """Delete what is older than the log is kept."""
    sweeping.forget()
