"""Celery is set up so that a message may be lost or come twice, and nothing else."""

from __future__ import annotations

from django.conf import settings

from eslbridge import jobs
from secretary.config.celery import app


def test_every_scheduled_task_exists() -> None:
    """A typing error in the schedule would stop the sweepers without a word."""
    app.loader.import_default_modules()
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in app.tasks
        assert entry["options"]["expires"] < entry["schedule"]
    for task in settings.CELERY_TASK_ROUTES:
        assert task in app.tasks


def test_times_fit_together() -> None:
    """A task ends before Redis hands it out again, and before the sweeper takes its worker for dead."""
    limit = app.conf.task_time_limit
    assert limit < app.conf.broker_transport_options["visibility_timeout"]
    assert limit < jobs.STALE_AFTER.total_seconds() < app.conf.broker_transport_options["visibility_timeout"]


def test_acknowledged_late_and_taken_singly() -> None:
    """A worker that is killed gives its message back, and holds no others."""
    assert app.conf.task_acks_late and app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.task_ignore_result
    assert list(app.conf.accept_content) == ["json"]
