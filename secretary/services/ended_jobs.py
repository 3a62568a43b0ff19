"""What the product does when jobs of the telephone end. Setting ESLBRIDGE_JOBS_ENDED."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from eslbridge.models import Job, JobKind
from secretary.services.placing import attempt_ended
from secretary.webhooks import facts
from tenants.context import tenant_context


def jobs_ended(*, domain_uuid: UUID, job_uuids: Collection[UUID]) -> None:
    """Called by eslbridge in the transaction in which jobs of a domain end; by a sweep across tenants, too."""
    facts.jobs_ended(domain_uuid=domain_uuid, job_uuids=job_uuids)
    with tenant_context(domain_uuid):
        for job in Job.objects.filter(pk__in=job_uuids, kind=JobKind.ORIGINATE):
            if job.argument("callback_uuid"):
                attempt_ended(job)
