"""Celery tasks of the product. Each is a line: the work is in the services."""

from __future__ import annotations

from celery import shared_task

from secretary.services import calls, quota_mail


@shared_task(name="secretary.sweep_calls")
def sweep_calls() -> None:
    """End the calls whose node died."""
    calls.sweep_calls()


@shared_task(name="secretary.mail_quota_alarms")
def mail_quota_alarms() -> None:
    """Write to the administrators of domains whose quotas run out."""
    quota_mail.mail_alarms()
