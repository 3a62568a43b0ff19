"""What the product does when jobs of the telephone end. Setting ESLBRIDGE_JOBS_ENDED."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import structlog
from django.db import transaction

from eslbridge.models import Job, JobKind
from secretary.services.placing import attempt_ended
from secretary.webhooks import facts
from tenants.context import tenant_context

log = structlog.get_logger(__name__)


def jobs_ended(*, domain_uuid: UUID, job_uuids: Collection[UUID]) -> None:
    """Called by eslbridge in the transaction in which jobs of a domain end; by a sweep across tenants, too."""
    facts.jobs_ended(domain_uuid=domain_uuid, job_uuids=job_uuids)
    with tenant_context(domain_uuid):
        for job in Job.objects.filter(pk__in=job_uuids, kind=JobKind.ORIGINATE):
            if job.argument("callback_uuid"):
                _attempt_ended(job)


def _attempt_ended(job: Job) -> None:
    """One callback's trouble is not the other jobs': it is looked after by `placing.mend`."""
    try:
        with transaction.atomic():
            attempt_ended(job)
    except Exception:
        log.exception("callback.end_not_written", job=str(job.pk), domain=str(job.domain_uuid))
