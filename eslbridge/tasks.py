"""Celery tasks. Each is a few lines: the work is in the services, which can be called and tested without Celery."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from celery import shared_task

from eslbridge import jobs
from eslbridge.work import runner

LONGEST_JOB_S: Final = 200
"""A callback: one telephone rings (45 s), is told what it is about (70 s), and the other one rings (65 s)."""


@shared_task(name="eslbridge.run_job", time_limit=LONGEST_JOB_S)
def run_job(domain_uuid: str, job_uuid: str) -> None:
    """Do one job, if nobody else has it. Queue `esl`."""
    runner.run(domain_uuid=UUID(domain_uuid), job_uuid=UUID(job_uuid))


@shared_task(name="eslbridge.sweep_jobs")
def sweep_jobs() -> None:
    """Look after jobs that stand still."""
    jobs.sweep()
