"""What each kind of job says to the switch, and which typed outcome each answer means."""

from __future__ import annotations

from typing import Final, Protocol
from uuid import UUID

from eslbridge import jobs
from eslbridge.esl import commands
from eslbridge.esl.command import Command
from eslbridge.esl.errors import CommandFailed, CommandRefused, CommandTimeout, EslError, NotConnected
from eslbridge.jobs import JobResult
from eslbridge.models import Job, JobKind, JobOutcome
from eslbridge.policy import DestinationKind, check_destination
from eslbridge.profiles import EslEndpoint

DONE: Final = JobResult(JobOutcome.DONE)
RING_S: Final = 20
"""How long an originate rings (s): below the credential's read timeout of 30 s, since `originate` blocks until then."""
HANGUP_CAUSES: Final = frozenset({"NORMAL_CLEARING", "USER_BUSY", "CALL_REJECTED", "NO_ANSWER"})
NO_CHANNEL: Final = "no such channel"


class Switch(Protocol):
    """A connection to a switch, for commands alone. Raises EslError, never waits for ever."""

    def api(self, command: Command) -> str:
        """Run an API command and give its output; CommandFailed for `-ERR` and `-USAGE`."""
        ...


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


def perform(job: Job, switch: Switch, endpoint: EslEndpoint) -> JobResult:
    """Do a job that has been claimed and judged. Raises EslError, JobLost."""
    match job.kind:
        case JobKind.TRANSFER:
            return transfer(job, switch, endpoint)
        case JobKind.HANGUP:
            return hang_up(job, switch)
        case JobKind.ORIGINATE:
            return originate(job, switch, endpoint)
    return JobResult(JobOutcome.FAILED, "unknown kind")


def transfer(job: Job, switch: Switch, endpoint: EslEndpoint) -> JobResult:
    """Blind transfer: send the caller's channel to a number of its own domain's dialplan."""
    call_uuid = _call_uuid(job)
    if not _exists(switch, call_uuid):
        return JobResult(JobOutcome.CALLER_GONE, "the channel is gone")
    # The caller's leg ends with the colleague's, instead of going on in a dialplan that was left long ago.
    switch.api(commands.uuid_setvar(call_uuid, "hangup_after_bridge", "true"))
    return _send(job, switch, commands.uuid_transfer(call_uuid, job.argument("number"), context=endpoint.domain_name))


def hang_up(job: Job, switch: Switch) -> JobResult:
    """End a call. A call that is gone already is `caller_gone`: nobody has to do anything about it."""
    cause = job.argument("cause")
    cause = cause if cause in HANGUP_CAUSES else "NORMAL_CLEARING"
    return _send(job, switch, commands.uuid_kill(_call_uuid(job), cause))


def originate(job: Job, switch: Switch, endpoint: EslEndpoint) -> JobResult:
    """Ring an extension of the domain and, when somebody answers, park the leg under the job's own UUID.

    A leg of that UUID on the switch means that the command went out before: it is not sent twice.
    """
    leg = str(job.job_uuid)
    if _exists(switch, leg):
        return DONE
    command = commands.originate(
        f"user/{job.argument('number')}@{endpoint.domain_name}",
        variables={"origination_uuid": leg, "domain_uuid": str(job.domain_uuid), "domain_name": endpoint.domain_name},
        timeout_s=RING_S,
    )
    return _send(job, switch, command)


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


def _send(job: Job, switch: Switch, command: Command) -> JobResult:
    if not jobs.mark_sent(job):
        raise JobLost
    try:
        switch.api(command)
    except (NotConnected, CommandTimeout) as error:
        # It may have been done: nobody knows, so it must not be tried again, nor be called unreachable.
        return JobResult(JobOutcome.FAILED, f"no answer to {command.name}: {error}")
    return DONE


def _exists(switch: Switch, channel: str) -> bool:
    return switch.api(commands.uuid_exists(channel)).strip() == "true"


def _call_uuid(job: Job) -> str:
    call_uuid: UUID | None = job.call_uuid
    return str(call_uuid)  # `refuse` has seen to it that there is one
