"""What each kind of job says to the switch, and which typed outcome each answer means.

Two ways to a destination. Where a person picks up (an extension, a ring group, an outside number), `consult` calls them
first and the caller stays with the node, so that no outcome is a surprise. Where the caller's own leg has to go (a
queue, a menu, a box, another secretary), `transfer` runs the destination's dialplan on it, with the secretary behind:
a number that is not there, or an application that ends, brings the caller back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID

from eslbridge import dialling, jobs
from eslbridge.esl import commands
from eslbridge.esl.errors import CommandFailed, CommandRefused, CommandTimeout, EslError, NotConnected
from eslbridge.esl.interface import EslClient
from eslbridge.esl.returning import uuid_transfer_and_return
from eslbridge.jobs import JobLost, JobResult
from eslbridge.models import Job, JobKind, JobOutcome
from eslbridge.outcomes import outcome_of
from eslbridge.profiles import EslEndpoint
from eslbridge.selectors import media_profile
from eslbridge.work import consulting, originating
from tenants.context import give_connection_back

DONE: Final = JobResult(JobOutcome.DONE)
RING_S: Final = 25
"""How long an originate rings (s), where the job does not say."""
MOST_RING_S: Final = 90
"""The longest: a Celery task may take 120 s."""
ANSWER_S: Final = 10.0
"""How much longer than it rings an originate may take to say how it went."""
HANGUP_CAUSES: Final = frozenset({"NORMAL_CLEARING", "USER_BUSY", "CALL_REJECTED", "NO_ANSWER"})
NO_CHANNEL: Final = "no such channel"


def refuse(job: Job) -> JobResult | None:
    """Judge a job by its arguments once more, at the last moment before the switch hears of it. None: go ahead."""
    if job.kind == JobKind.ORIGINATE:
        return originating.refuse(job)
    if job.kind == JobKind.HANGUP and job.argument("job_uuid"):
        return originating.refuse_to_hang_up(job)
    if job.call_uuid is None:
        return JobResult(JobOutcome.NOT_ALLOWED, "the job names no call")
    if job.kind in (JobKind.TRANSFER, JobKind.CONSULT):
        decision = dialling.ask_for(job)
        if not decision.allowed:
            return JobResult(JobOutcome.NOT_ALLOWED, f"{decision.reason} {decision.detail}".strip())
        # Of this attempt; the row keeps what was wanted.
        job.arguments |= {"number": decision.dialled, "toll_allow": decision.grant}
    return None


def perform(job: Job, switch: EslClient, endpoint: EslEndpoint) -> JobResult:
    """Do a job that has been claimed and judged. Raises EslError, JobLost."""
    match job.kind:
        case JobKind.TRANSFER:
            return transfer(job, switch, endpoint)
        case JobKind.HANGUP:
            return originating.hang_up_ringing(job, switch) if job.argument("job_uuid") else hang_up(job, switch)
        case JobKind.ORIGINATE:
            return originating.originate(job, switch, endpoint)
        case JobKind.CONSULT:
            return consult(job, switch, endpoint)
    return JobResult(JobOutcome.FAILED, "unknown kind")


def transfer(job: Job, switch: EslClient, endpoint: EslEndpoint) -> JobResult:
    """Blind transfer: send the caller's channel to a number of its own domain's dialplan.

    With `back_to`, the extension that the caller had dialled, the caller is there again when the dialplan comes to its
    end without having got rid of them.
    """
    call_uuid = _call_uuid(job)
    if not switch.uuid_exists(call_uuid):
        return JobResult(JobOutcome.CALLER_GONE, "the channel is gone")
    # The caller's leg ends with the colleague's, instead of going on in a dialplan that was left long ago.
    switch.uuid_setvar(call_uuid, "hangup_after_bridge", "true")
    if classes := job.argument("toll_allow"):
        switch.uuid_setvar(call_uuid, "toll_allow", classes)  # FusionPBX's routes ask the channel for it
    number, context, back_to = job.argument("number"), endpoint.domain_name, job.argument("back_to")
    if not back_to:
        return _send(job, lambda: switch.uuid_transfer(call_uuid, number, context=context))
    command = uuid_transfer_and_return(call_uuid, number, context=context, back_to=back_to)
    return _send(job, lambda: switch.let_go(call_uuid, command))


def consult(job: Job, switch: EslClient, endpoint: EslEndpoint) -> JobResult:
    """Call a colleague, whose leg goes to the node that has the caller. Done: answered. Else: why not.

    The leg's UUID is the job's own, so that whoever takes the transfer back can end it without being told anything.
    """
    call_uuid, leg = _call_uuid(job), str(job.job_uuid)
    if not switch.uuid_exists(call_uuid):
        return JobResult(JobOutcome.CALLER_GONE, "the channel is gone")
    media = media_profile(domain_uuid=job.domain_uuid)
    ring_s = min(_number(job.argument("ring_s"), RING_S), MOST_RING_S)
    dial = consulting.dial_string(
        kind=job.argument("kind"),
        number=job.argument("number"),
        domain_name=endpoint.domain_name,
        forwarded=job.argument("forwarded") == "yes",
    )
    given = consulting.leg_variables(
        domain_uuid=job.domain_uuid,
        domain_name=endpoint.domain_name,
        call_uuid=call_uuid,
        leg_uuid=leg,
        transport=media.audio_transport if media is not None else "",
        caller_number=job.argument("caller_number"),
        caller_name=job.argument("caller_name"),
    )
    command = commands.originate(
        dial,
        application="socket",
        argument=commands.socket_argument(job.argument("node_host"), _number(job.argument("node_port"), 0)),
        variables={**given, **consulting.loopback_variables(dial), **_toll_allow(job)},
        timeout_s=ring_s,
    )
    if not jobs.mark_sent(job):
        raise JobLost
    give_connection_back()
    try:
        switch.bgapi(command, timeout_s=ring_s + ANSWER_S).checked("originate")
    except CommandFailed as error:
        cause = error.reply.removeprefix("-ERR").strip().split(" ")[0]
        return JobResult(outcome_of(cause), cause)
    except CommandTimeout as error:
        _end_leg(switch, leg)
        return JobResult(JobOutcome.FAILED, f"no answer: {error}")
    except NotConnected as error:
        # It may be ringing: the node hears of the leg when it is answered, and takes it back when it is not.
        return JobResult(JobOutcome.FAILED, f"no answer: {error}")
    return DONE


def _toll_allow(job: Job) -> dict[str, str]:
    """What FusionPBX's outbound routes ask the new leg for; nothing where classes are not used."""
    classes = job.argument("toll_allow")
    return {"toll_allow": classes} if classes else {}


def _end_leg(switch: EslClient, leg: str) -> None:
    try:
        switch.uuid_kill(leg, "ORIGINATOR_CANCEL")
    except EslError:
        return  # gone already, or the switch is: nobody rings any more


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else otherwise


def hang_up(job: Job, switch: EslClient) -> JobResult:
    """End a call. A call that is gone already is `caller_gone`: nobody has to do anything about it."""
    cause = job.argument("cause")
    cause = cause if cause in HANGUP_CAUSES else "NORMAL_CLEARING"
    return _send(job, lambda: switch.uuid_kill(_call_uuid(job), cause))


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
