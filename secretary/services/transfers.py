"""Putting a caller through: policy, job, and how it went."""

from __future__ import annotations

from uuid import UUID

from eslbridge import jobs, policy
from eslbridge.models import JobKind
from secretary.errors import TransferRefused
from secretary.models import Call, CallOutcome, Destination
from secretary.webhooks import facts
from tenants.context import tenant_context


def request_transfer(*, domain_uuid: UUID, call_uuid: UUID, destination_uuid: UUID) -> UUID:
    """Have the worker put a call through to a destination of its domain. Returns the job's UUID.

    A provider names a destination; the number comes from the database and the policy has the last word. Raises
    TransferRefused: unknown_call, unknown_destination, or the policy's reason.
    """
    with tenant_context(domain_uuid):
        call = Call.objects.filter(call_uuid=call_uuid, outcome=CallOutcome.IN_PROGRESS).first()
        if call is None:
            raise TransferRefused("unknown_call")
        destination = Destination.objects.filter(destination_uuid=destination_uuid).first()
        if destination is None:
            raise TransferRefused("unknown_destination")
        decision = policy.check_destination(
            number=destination.number,
            kind=destination.kind,
            enabled=destination.enabled,
            external_allowed=destination.kind == policy.DestinationKind.EXTERNAL,
        )
        if not decision.allowed:
            raise TransferRefused(decision.reason)
        job = jobs.create_job(
            domain_uuid=domain_uuid,
            kind=JobKind.TRANSFER,
            call_uuid=call_uuid,
            secretary_uuid=call.secretary_id,
            arguments={
                "number": destination.number,
                "kind": destination.kind,
                "destination_uuid": str(destination.destination_uuid),
            },
        )
        facts.transfer_requested(job)
    return job.job_uuid
