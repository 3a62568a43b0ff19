"""Jobs: what is to be done on the telephone network, from the row's birth to its end.

The row is written in the transaction of its cause and sent to Celery when that commits. Everything after is a
conditional UPDATE whose row count decides, so that a job delivered twice runs once:

    create_job ─▶ queued ── claim ─▶ running ── mark_sent ─▶ running, sent ── finish ─▶ done | failed
                    └─── cancel ──────┴─▶ cancelled

`sweep` sends again what the broker lost and what a dead worker had claimed without sending, and ends the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID, uuid4, uuid5

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from eslbridge.models import Job, JobKind, JobOutcome, JobState
from eslbridge.models.job import FINAL
from eslbridge.work.announcing import announce_ended
from tenants.context import platform_context, tenant_context

log = structlog.get_logger(__name__)

RESEND_AFTER: Final = timedelta(seconds=15)
"""A queued job whose message has not led to a claim by then is sent again."""
STALE_AFTER: Final = timedelta(seconds=150)
"""A running job older than this, or since it dialled its second number, has lost its worker: longer than either part of
one takes."""
MAX_ATTEMPTS: Final = 3
SWEEP_BATCH: Final = 500
"""Rows of each kind one sweep touches; the next one is 15 s away."""
EXPIRES: Final[Mapping[str, timedelta | None]] = {
    # The caller waits for a transfer, and is told something else after a few seconds.
    JobKind.TRANSFER: timedelta(seconds=20),
    # Nor does a colleague's telephone begin to ring when the caller has heard the next sentence by then.
    JobKind.CONSULT: timedelta(seconds=15),
    JobKind.ORIGINATE: timedelta(seconds=60),
    JobKind.HANGUP: timedelta(seconds=600),
}
MAX_REASON: Final = 500


class JobLost(Exception):
    """The job was cancelled, is too late, or is another worker's by now: send nothing."""


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a job ended: a `JobOutcome` and, for people, why."""

    outcome: str
    reason: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)
    """What the switch said: `leg` and `cause`."""


@dataclass(frozen=True, slots=True)
class JobStatus:
    """What somebody who waits for a job wants to know."""

    job_uuid: UUID
    state: str
    outcome: str
    reason: str

    @property
    def is_final(self) -> bool:
        return self.state in FINAL


def create_job(
    *,
    domain_uuid: UUID,
    kind: str,
    arguments: Mapping[str, str],
    call_uuid: UUID | None = None,
    secretary_uuid: UUID | None = None,
    job_uuid: UUID | None = None,
    run_after: datetime | None = None,
) -> Job:
    """Write a job in the caller's transaction (or an own one) and send it when that commits.

    With a `job_uuid` that exists already, the job of that id is given back and nothing is sent: asking twice is safe.
    """
    now = timezone.now()
    begins = run_after or now
    lifetime = EXPIRES.get(kind)
    with tenant_context(domain_uuid):
        job, created = Job.objects.get_or_create(
            job_uuid=job_uuid or uuid4(),
            defaults={
                "domain_id": domain_uuid,
                "kind": kind,
                "arguments": dict(arguments),
                "call_uuid": call_uuid,
                "secretary_uuid": secretary_uuid,
                "run_after": begins,
                "expires_at": begins + lifetime if lifetime is not None else None,
                "enqueued_at": now if begins <= now else None,
            },
        )
        if created and begins <= now:
            transaction.on_commit(partial(_send_first, domain_uuid, job.job_uuid))
    return job


def _send_first(domain_uuid: UUID, job_uuid: UUID) -> None:
    """The broker was out of reach: the very next sweep sends it, and not one after RESEND_AFTER, which may be late."""
    if not enqueue(domain_uuid, job_uuid):
        with tenant_context(domain_uuid):
            Job.objects.filter(job_uuid=job_uuid, state=JobState.QUEUED).update(enqueued_at=None)


def enqueue(domain_uuid: UUID, job_uuid: UUID) -> bool:
    """Hand a job's id to Celery. False when the broker is out of reach: the sweeper tries again."""
    from eslbridge.tasks import run_job

    try:
        run_job.apply_async((str(domain_uuid), str(job_uuid)))
    except Exception as error:  # kombu raises the transport's own errors, of many kinds
        log.warning("job.not_enqueued", job=str(job_uuid), domain=str(domain_uuid), error=str(error)[:200])
        return False
    return True


def claim(*, domain_uuid: UUID, job_uuid: UUID) -> Job | None:
    """Take a queued job that is due, for this worker alone. None: somebody has it, it is over, or not this tenant's."""
    now = timezone.now()
    with tenant_context(domain_uuid):
        due = Job.objects.filter(job_uuid=job_uuid, state=JobState.QUEUED, run_after__lte=now)
        if not due.filter(_in_time(now)).update(
            state=JobState.RUNNING, claimed_at=now, attempts=F("attempts") + 1, updated_at=now
        ):
            return None
        return Job.objects.get(job_uuid=job_uuid)


def mark_sent(job: Job) -> bool:
    """Say that the command goes out now. False: nothing may be sent any more.

    Then the job was cancelled, it is too late for it, or this worker was taken for dead and another attempt is under
    way. `cancel` and this are conditional updates of one row: exactly one of them happens.
    """
    now = timezone.now()
    with tenant_context(job.domain_uuid):
        mine = Job.objects.filter(
            job_uuid=job.job_uuid, state=JobState.RUNNING, attempts=job.attempts, sent_at__isnull=True
        )
        return bool(mine.filter(_in_time(now)).update(sent_at=now, updated_at=now))


def mark_dialled(job: Job) -> bool:
    """Say that an originate's second number is dialled now. False: it was taken back, or is no longer this worker's."""
    now = timezone.now()
    with tenant_context(job.domain_uuid):
        mine = Job.objects.filter(
            job_uuid=job.job_uuid,
            state=JobState.RUNNING,
            attempts=job.attempts,
            cancel_asked_at__isnull=True,
            dialled_at__isnull=True,
        )
        return bool(mine.update(dialled_at=now, updated_at=now))


def finish(job: Job, result: JobResult) -> bool:
    """Write a running job's end. False: it is no longer this worker's, and what stands there stays.

    One that somebody wants back, and that did not succeed all the same, ends as cancelled.
    """
    done = result.outcome == JobOutcome.DONE
    end = {
        "reason": _reason(result.reason),
        "detail": dict(result.detail),
        "finished_at": timezone.now(),
        "updated_at": Now(),
    }
    with tenant_context(job.domain_uuid):
        mine = Job.objects.filter(job_uuid=job.job_uuid, state=JobState.RUNNING, attempts=job.attempts)
        finished = 0
        if not done:
            wanted_back = mine.filter(cancel_asked_at__isnull=False)
            finished = wanted_back.update(**{**end, "state": JobState.CANCELLED, "reason": "cancelled while it rang"})
        if not finished:
            state = JobState.DONE if done else JobState.FAILED
            finished = mine.update(**end, state=state, outcome=result.outcome)
        if finished:
            announce_ended(job.domain_uuid, [job.job_uuid])
    return bool(finished)


def cancel(*, domain_uuid: UUID, job_uuid: UUID, reason: str = "") -> bool:
    """Take a job back whose command has not gone out. False: too late."""
    with tenant_context(domain_uuid):
        unsent = Q(state=JobState.QUEUED) | Q(state=JobState.RUNNING, sent_at__isnull=True)
        waiting = Job.objects.filter(unsent, job_uuid=job_uuid)
        cancelled = waiting.update(
            state=JobState.CANCELLED, reason=_reason(reason), finished_at=timezone.now(), updated_at=Now()
        )
        if cancelled:
            announce_ended(domain_uuid, [job_uuid])
    return bool(cancelled)


def cancel_ringing(*, domain_uuid: UUID, job_uuid: UUID) -> bool:
    """Take an originate or a colleague's call back that has gone out: what rings for it is hung up.

    False: too late, or not this tenant's.

    The hanging up is a job of its own, because only workers speak to switches.
    """
    now = timezone.now()
    with tenant_context(domain_uuid):
        ringing = Job.objects.filter(
            job_uuid=job_uuid,
            kind__in=(JobKind.ORIGINATE, JobKind.CONSULT),
            state=JobState.RUNNING,
            sent_at__isnull=False,
        )
        if not ringing.filter(cancel_asked_at__isnull=True).update(cancel_asked_at=now, updated_at=now):
            return ringing.exists()
        create_job(
            domain_uuid=domain_uuid,
            kind=JobKind.HANGUP,
            # Taking back twice is one job.
            job_uuid=uuid5(job_uuid, "hang up what rings"),
            arguments={"job_uuid": str(job_uuid), "cause": "ORIGINATOR_CANCEL"},
        )
    return True


def is_over(*, domain_uuid: UUID, job_uuid: UUID) -> bool:
    """Whether a job has ended, or was never there."""
    found = status(domain_uuid=domain_uuid, job_uuid=job_uuid)
    return found is None or found.is_final


def status(*, domain_uuid: UUID, job_uuid: UUID) -> JobStatus | None:
    """How a job stands; None where the tenant has no such job."""
    with tenant_context(domain_uuid):
        row = Job.objects.filter(job_uuid=job_uuid).values_list("job_uuid", "state", "outcome", "reason").first()
    return JobStatus(*row) if row is not None else None


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did: numbers of jobs."""

    sent_again: int = 0
    expired: int = 0
    requeued: int = 0
    given_up: int = 0


def sweep(now: datetime | None = None) -> Swept:
    """Look after jobs that stand still, in all tenants. Harmless beside another sweep and beside the workers."""
    moment = now or timezone.now()
    with platform_context():
        expired = _end(
            Q(state=JobState.QUEUED, expires_at__lte=moment), JobOutcome.FAILED, "expired before a worker began", moment
        )
        # From the second number on the time runs anew.
        dialled = Q(dialled_at__isnull=True) | Q(dialled_at__lte=moment - STALE_AFTER)
        stale = dialled & Q(state=JobState.RUNNING, claimed_at__lte=moment - STALE_AFTER)
        unsent = stale & Q(sent_at__isnull=True, attempts__lt=MAX_ATTEMPTS)
        requeued = Job.objects.filter(_batch(unsent)).update(
            state=JobState.QUEUED, claimed_at=None, enqueued_at=None, updated_at=moment
        )
        given_up = _end(stale, JobOutcome.FAILED, "the worker that had it died", moment)
        again = _due_again(moment)
    sent = sum(enqueue(domain_uuid, job_uuid) for domain_uuid, job_uuid in again)
    swept = Swept(sent_again=sent, expired=expired, requeued=requeued, given_up=given_up)
    if swept != Swept():
        log.info("jobs.swept", sent_again=sent, expired=expired, requeued=requeued, given_up=given_up)
    return swept


def _due_again(moment: datetime) -> list[tuple[UUID, UUID]]:
    """The queued jobs whose message seems lost, marked as sent now so that the next sweep leaves them alone."""
    silent = Q(enqueued_at__isnull=True) | Q(enqueued_at__lte=moment - RESEND_AFTER)
    due = Q(state=JobState.QUEUED, run_after__lte=moment) & silent
    rows = list(
        Job.objects.filter(due)
        .select_for_update(skip_locked=True)
        .order_by("run_after")
        .values_list("domain_id", "job_uuid")[:SWEEP_BATCH]
    )
    Job.objects.filter(job_uuid__in=[job_uuid for _, job_uuid in rows]).update(enqueued_at=moment)
    return rows


def _batch(condition: Q) -> Q:
    rows = Job.objects.filter(condition).select_for_update(skip_locked=True).order_by("run_after")
    return Q(job_uuid__in=list(rows.values_list("job_uuid", flat=True)[:SWEEP_BATCH]))


def _end(condition: Q, outcome: JobOutcome, reason: str, moment: datetime) -> int:
    rows = Job.objects.filter(condition).select_for_update(skip_locked=True).order_by("run_after")
    of_domain: dict[UUID, list[UUID]] = {}
    for domain_uuid, job_uuid in rows.values_list("domain_id", "job_uuid")[:SWEEP_BATCH]:
        of_domain.setdefault(domain_uuid, []).append(job_uuid)
    ended = 0
    for domain_uuid, job_uuids in of_domain.items():
        ended += Job.objects.filter(job_uuid__in=job_uuids).update(
            state=JobState.FAILED, outcome=outcome, reason=reason, finished_at=moment, updated_at=moment
        )
        announce_ended(domain_uuid, job_uuids)
    return ended


def _in_time(now: datetime) -> Q:
    return Q(expires_at__isnull=True) | Q(expires_at__gt=now)


def _reason(text: str) -> str:
    return text.replace("\0", "")[:MAX_REASON]
