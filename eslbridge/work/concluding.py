"""Ending a job from outside of its worker: by whoever knows how it went when the worker does not say."""

from __future__ import annotations

from uuid import UUID

from django.db.models.functions import Now
from django.utils import timezone

from eslbridge.jobs import MAX_REASON, JobResult
from eslbridge.models import Job, JobKind, JobOutcome, JobState
from eslbridge.work.announcing import announce_ended
from tenants.context import tenant_context


def conclude(*, domain_uuid: UUID, job_uuid: UUID, result: JobResult) -> bool:
    """Write a job's end if nobody has. A worker that is still at it finds it taken, and changes nothing.

    One whose command never went out is cancelled instead: nothing happened that could have an outcome. A colleague's
    call that its worker has written as done was answered, and no more: what the colleague decided stands in the end.
    """
    now = timezone.now()
    done = result.outcome == JobOutcome.DONE
    end = {"reason": result.reason.replace("\0", "")[:MAX_REASON], "finished_at": now, "updated_at": Now()}
    with tenant_context(domain_uuid):
        job = Job.objects.filter(job_uuid=job_uuid)
        sent = job.filter(state=JobState.RUNNING, sent_at__isnull=False)
        ended = sent.update(
            **end, state=JobState.DONE if done else JobState.FAILED, outcome=result.outcome
        ) or job.filter(state__in=(JobState.QUEUED, JobState.RUNNING)).update(**end, state=JobState.CANCELLED)
        if ended:
            announce_ended(domain_uuid, [job_uuid])
        elif not done:
            answered = job.filter(state=JobState.DONE, kind=JobKind.CONSULT)
            ended = answered.update(**end, state=JobState.FAILED, outcome=result.outcome)
    return bool(ended)
