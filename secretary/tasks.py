"""Celery tasks of the product. Each is a line: the work is in the services."""

from __future__ import annotations

from celery import shared_task

from secretary.services import calls, message_mail, orphans, placing, quota_mail, retention, switch_recordings
from secretary.services.caller_requests import run_waiting
from tenants import record_keeping


@shared_task(name="secretary.sweep_calls")
def sweep_calls() -> None:
    """End the calls whose node died."""
    calls.sweep_calls()


@shared_task(name="secretary.mail_quota_alarms")
def mail_quota_alarms() -> None:
    """Write to the administrators of domains whose quotas run out."""
    quota_mail.mail_alarms()


@shared_task(name="secretary.mail_messages")
def mail_messages() -> None:
    """Write to those for whom callers left a message."""
    message_mail.send_waiting()


@shared_task(name="secretary.forget_old_data")
def forget_old_data() -> None:
    """Delete what domains keep no longer, and what the record of changes does not."""
    retention.forget_old_data()
    record_keeping.forget_old_lines()


@shared_task(name="secretary.sweep_orphans")
def sweep_orphans() -> None:
    """Delete files that no row knows."""
    orphans.sweep_orphans()


@shared_task(name="secretary.place_callbacks")
def place_callbacks() -> None:
    """Call back whoever's time has come."""
    placing.place_due()


@shared_task(name="secretary.caller_requests")
def caller_requests() -> None:
    """Export or erase callers' data as it was asked for."""
    run_waiting()


@shared_task(name="secretary.switch_recordings")
def fetch_switch_recordings() -> None:
    """Fetch the recordings that switches have finished."""
    switch_recordings.collect()
