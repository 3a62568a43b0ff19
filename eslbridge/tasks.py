"""Celery tasks. Each is a few lines: the work is in the services, which can be called and tested without Celery."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from eslbridge import jobs, runner


@shared_task(name="eslbridge.run_job")
def run_job(domain_uuid: str, job_uuid: str) -> None:
    """Do one job, if nobody else has it. Queue `esl`."""
    runner.run(domain_uuid=UUID(domain_uuid), job_uuid=UUID(job_uuid))


@shared_task(name="eslbridge.sweep_jobs")
def sweep_jobs() -> None:
    """Look after jobs that stand still."""
    jobs.sweep()
