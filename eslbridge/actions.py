"""What each kind of job says to the switch, and which typed outcome each answer means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID

from eslbridge import jobs
from eslbridge.esl.errors import CommandFailed, CommandRefused, CommandTimeout, EslError, NotConnected
from eslbridge.esl.interface import EslClient
from eslbridge.jobs import JobResult
from eslbridge.models import Job, JobKind, JobOutcome
from eslbridge.policy import DestinationKind, check_destination
from eslbridge.profiles import EslEndpoint
from tenants.context import give_connection_back

DONE: Final = JobResult(JobOutcome.DONE)
RING_S: Final = 25
"""How long an originate rings (s)."""
HANGUP_CAUSES: Final = frozenset({"NORMAL_CLEARING", "USER_BUSY", "CALL_REJECTED", "NO_ANSWER"})
NO_CHANNEL: Final = "no such channel"


class JobLost(Exception):
    """The job was cancelled, is too late, or is another worker's by now: send nothing."""


def refuse(job: Job) -> JobResult | None:
    """Judge a job by its arguments once more, at the last moment before the switch hears of it. None: go ahead."""
    if job.kind in (JobKind.TRANSFER, JobKind.HANGUP) and job.call_uuid is None:
        return JobResult(JobOutcome.NOT_ALLOWED, "the job names no call")
    if job.kind in (JobKind.TRANSFER, JobKind.ORIGINATE):
        kind = job.argument("kind") or DestinationKind.EXTENSION
        external = job.kind == JobKind.TRANSFER and kind == DestinationKind.EXTERNAL
        decision = check_destination(number=job.argument("number"), kind=kind, enabled=True, external_allowed=external)
        if not decision.allowed:
            return JobResult(JobOutcome.NOT_ALLOWED, decision.reason)
    return None


def perform(job: Job, switch: EslClient, endpoint: EslEndpoint) -> JobResult:
    """Do a job that has been claimed and judged. Raises EslError, JobLost."""
    match job.kind:
        case JobKind.TRANSFER:
            return transfer(job, switch, endpoint)
        case JobKind.HANGUP:
            return hang_up(job, switch)
        case JobKind.ORIGINATE:
            return originate(job, switch, endpoint)
    return JobResult(JobOutcome.FAILED, "unknown kind")


def transfer(job: Job, switch: EslClient, endpoint: EslEndpoint) -> JobResult:
    """Blind transfer: send the caller's channel to a number of its own domain's dialplan."""
    call_uuid = _call_uuid(job)
    if not switch.uuid_exists(call_uuid):
        return JobResult(JobOutcome.CALLER_GONE, "the channel is gone")
    # The caller's leg ends with the colleague's, instead of going on in a dialplan that was left long ago.
    switch.uuid_setvar(call_uuid, "hangup_after_bridge", "true")
    number, context = job.argument("number"), endpoint.domain_name
    return _send(job, lambda: switch.uuid_transfer(call_uuid, number, context=context))


def hang_up(job: Job, switch: EslClient) -> JobResult:
    """End a call. A call that is gone already is `caller_gone`: nobody has to do anything about it."""
    cause = job.argument("cause")
    cause = cause if cause in HANGUP_CAUSES else "NORMAL_CLEARING"
    return _send(job, lambda: switch.uuid_kill(_call_uuid(job), cause))


def originate(job: Job, switch: EslClient, endpoint: EslEndpoint) -> JobResult:
    """Ring an extension of the domain and, when somebody answers, park the leg under the job's own UUID.

    A leg of that UUID on the switch means that the command went out before: it is not sent twice.
    """
    leg = str(job.job_uuid)
    if switch.uuid_exists(leg):
        return DONE
    dial = f"user/{job.argument('number')}@{endpoint.domain_name}"
    variables = {"origination_uuid": leg, "domain_uuid": str(job.domain_uuid), "domain_name": endpoint.domain_name}
    return _send(job, lambda: switch.originate(dial, variables=variables, timeout_s=RING_S))


def result_of(error: EslError) -> JobResult:
    """The outcome that a failure on the wire stands for, before the command itself went out."""
    match error:
        case CommandRefused():
            return JobResult(JobOutcome.NOT_ALLOWED, str(error))
        case CommandFailed() if NO_CHANNEL in error.reply.lower():
            return JobResult(JobOutcome.CALLER_GONE, "the channel is gone")
        case NotConnected() | CommandTimeout():
            return JobResult(JobOutcome.UNREACHABLE, str(error))
    return JobResult(JobOutcome.FAILED, str(error))


def _send(job: Job, send: Callable[[], object]) -> JobResult:
    if not jobs.mark_sent(job):
        raise JobLost
    give_connection_back()
    try:
        send()
    except (NotConnected, CommandTimeout) as error:
        # It may have been done: nobody knows, so it must not be tried again, nor be called unreachable.
        return JobResult(JobOutcome.FAILED, f"no answer: {error}")
    return DONE


def _call_uuid(job: Job) -> str:
    call_uuid: UUID | None = job.call_uuid
    return str(call_uuid)  # `refuse` has seen to it that there is one
