"""Celery tasks of the API. Each is a line: the work is elsewhere."""

from __future__ import annotations

from celery import shared_task

from secretary.api import idempotency


@shared_task(name="api.forget_answers")
def forget_answers() -> None:
    """Delete the answers whose Idempotency-Key has run out."""
    idempotency.sweep()
