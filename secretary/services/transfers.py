"""Putting a caller through: what a destination asks for, policy, job, and how it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

import structlog

from eslbridge import dialling, jobs
from eslbridge.dialplan import EXTENSION
from eslbridge.jobs import JobResult
from eslbridge.models import Job, JobKind, JobOutcome
from eslbridge.outcomes import TransferOutcome
from eslbridge.work.concluding import conclude
from secretary.errors import TransferRefused
from secretary.models import Call, CallOutcome, Destination
from secretary.models.destination import PERSONS, TransferMode
from secretary.selectors.opening import opening_of
from secretary.webhooks import facts
from tenants.context import tenant_context

log = structlog.get_logger(__name__)

_UNANSWERED: Final[Mapping[TransferOutcome, JobOutcome]] = {
    outcome: JobOutcome(outcome) for outcome in TransferOutcome if outcome.value in JobOutcome.values
}
"""`ok` is no job's outcome, and `closed` is known before there is a job."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One destination as a transfer to it goes now."""

    destination_uuid: UUID
    name: str
    kind: str
    number: str
    mode: str
    ring_s: int
    fallback_uuid: UUID | None
    secretary_uuid: UUID | None = None
    """Who has the call."""
    closed: str = ""
    """Why nobody is there at this hour; empty where somebody may be."""

    @property
    def is_person(self) -> bool:
        """Whether somebody picks up there; else the caller's own leg has to go."""
        return self.kind in PERSONS

    @property
    def speaks(self) -> bool:
        """Whether the colleague is told who is calling."""
        return self.is_person and self.mode != TransferMode.BLIND


def plan_transfer(*, domain_uuid: UUID, call_uuid: UUID, destination_uuid: UUID) -> Plan:
    """What putting the call through to a destination of its domain means now.

    Raises TransferRefused: unknown_call, unknown_destination, disabled.
    """
    with tenant_context(domain_uuid):
        call = _call(call_uuid)
        destination = Destination.objects.filter(destination_uuid=destination_uuid).first()
        if destination is None:
            raise TransferRefused("unknown_destination")
        if not destination.enabled:
            raise TransferRefused("disabled")
        opening = opening_of(domain_uuid=domain_uuid, destination_uuid=destination_uuid)
        return Plan(
            destination_uuid=destination.destination_uuid,
            name=destination.name,
            kind=destination.kind,
            number=destination.number,
            mode=destination.transfer_mode,
            ring_s=destination.ring_s,
            fallback_uuid=destination.fallback_id,
            secretary_uuid=call.secretary_id,
            closed="" if opening.open else (opening.reason or "closed"),
        )


def request_consult(
    *, domain_uuid: UUID, call_uuid: UUID, plan: Plan, job_uuid: UUID, node_host: str, node_port: int, forwarded: bool
) -> None:
    """Have a worker call the colleague; the leg will be of the job's UUID. Raises TransferRefused."""
    arguments = {
        "node_host": node_host,
        "node_port": str(node_port),
        "ring_s": str(plan.ring_s),
        "mode": plan.mode,
        **({"forwarded": "yes"} if forwarded else {}),
    }
    _request(
        domain_uuid=domain_uuid, call_uuid=call_uuid, plan=plan, kind=JobKind.CONSULT, job_uuid=job_uuid, more=arguments
    )


def request_transfer(*, domain_uuid: UUID, call_uuid: UUID, destination_uuid: UUID) -> UUID:
    """Have a worker send a call itself into the dialplan, with the secretary behind. Returns the job's UUID.

    A provider names a destination; the number comes from the database and the policy has the last word. Raises
    TransferRefused: unknown_call, unknown_destination, or the policy's reason.
    """
    plan = plan_transfer(domain_uuid=domain_uuid, call_uuid=call_uuid, destination_uuid=destination_uuid)
    return _request(
        domain_uuid=domain_uuid, call_uuid=call_uuid, plan=plan, kind=JobKind.TRANSFER, job_uuid=uuid4(), more={}
    )


def _request(
    *, domain_uuid: UUID, call_uuid: UUID, plan: Plan, kind: JobKind, job_uuid: UUID, more: Mapping[str, str]
) -> UUID:
    # Outside of the transaction below: a refusal stays on record.
    decision = dialling.ask(
        domain_uuid=domain_uuid,
        number=plan.number,
        kind=plan.kind,
        call_uuid=call_uuid,
        secretary_uuid=plan.secretary_uuid,
        job_uuid=job_uuid,
    )
    if not decision.allowed:
        raise TransferRefused(decision.reason)
    with tenant_context(domain_uuid):
        call = _call(call_uuid)
        arguments = {
            "number": decision.dialled or plan.number,
            "kind": plan.kind,
            "destination_uuid": str(plan.destination_uuid),
            **more,
        }
        if kind is JobKind.CONSULT:
            arguments |= {"caller_number": call.caller_number, "caller_name": call.caller_name}
        elif EXTENSION.fullmatch(call.extension):
            arguments["back_to"] = call.extension
        job = jobs.create_job(
            domain_uuid=domain_uuid,
            kind=kind,
            call_uuid=call_uuid,
            secretary_uuid=call.secretary_id,
            arguments=arguments,
            job_uuid=job_uuid,
        )
        facts.transfer_requested(job)
    return job.job_uuid


def conclude_consult(*, domain_uuid: UUID, job_uuid: UUID, outcome: TransferOutcome, detail: str = "") -> None:
    """Tell how calling a colleague went in the end, and end the job if its worker has not. Idempotent.

    Not before its caller knows: a colleague who picked up may still decline.
    """
    ended = JobResult(_UNANSWERED.get(outcome, JobOutcome.DONE), detail)
    with tenant_context(domain_uuid):
        conclude(domain_uuid=domain_uuid, job_uuid=job_uuid, result=ended)
        job = Job.objects.filter(job_uuid=job_uuid).first()
        if job is not None:
            facts.transfer_ended(job, outcome=outcome, reason=detail)


def _call(call_uuid: UUID) -> Call:
    call = Call.objects.filter(call_uuid=call_uuid, outcome=CallOutcome.IN_PROGRESS).first()
    if call is None:
        raise TransferRefused("unknown_call")
    return call
