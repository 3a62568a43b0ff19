"""Writes: jobs that a person or a program asks for, outside of a conversation. Inside a tenant."""

from __future__ import annotations

from uuid import UUID

from eslbridge import jobs
from eslbridge.models import Job, JobKind
from secretary.errors import TransferRefused
from secretary.models import Call, CallOutcome


def request_hangup(*, domain_uuid: UUID, call_uuid: UUID) -> Job:
    """End a call of the domain that is in progress. Raises TransferRefused("unknown_call")."""
    call = Call.objects.filter(call_uuid=call_uuid, outcome=CallOutcome.IN_PROGRESS).first()
    if call is None:
        raise TransferRefused("unknown_call")
    return jobs.create_job(
        domain_uuid=domain_uuid,
        kind=JobKind.HANGUP,
        call_uuid=call_uuid,
        secretary_uuid=call.secretary_id,
        arguments={},
    )
