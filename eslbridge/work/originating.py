"""Calling out: one telephone rings, and whoever answers is connected to a second number or to a secretary.

The first leg is the job's own UUID, and is parked when somebody answers. Only then, and only if nobody has taken the
job back, `dialled_at` is written and the leg sent to the second number in the domain's dialplan, so that the domain's
routes and permissions count. A worker that dies before has reached nobody but the first telephone; one that dies after
it may have reached the second, so that nothing is dialled again.

    number, kind        who is rung first
    then                "dial" (with `to`, `to_kind`), "secretary" (with `to`, an 8XXX), or empty: parked for a while
    ring_s, to_ring_s   how long each rings
    shown_number/name   what the first telephone shows
    caller_id_*         what the second one shows; empty: what the dialplan says
    tell                "yes": whoever answers first is told what it is about (`telling`), and may decline
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

import structlog

from eslbridge import dialling, jobs
from eslbridge.esl import commands
from eslbridge.esl.errors import CommandFailed, CommandTimeout, EslError, NotConnected
from eslbridge.esl.interface import EslClient
from eslbridge.jobs import JobLost, JobResult
from eslbridge.models import Job, JobOutcome
from eslbridge.policy import DestinationKind
from eslbridge.profiles import EslEndpoint
from eslbridge.work import telling
from eslbridge.work.consulting import dial_string, loopback_variables, shown_name
from eslbridge.work.hearing import Hearing, Leg, cause_in, ended
from tenants.context import give_connection_back, tenant_context

log = structlog.get_logger(__name__)

RING_S: Final = 25
LEAST_RING_S: Final = 5
MOST_RING_S: Final = 45
MOST_SECOND_S: Final = 55
"""The longest that the first and the second telephone ring: a Celery task may take 120 s in all."""
PARKED_S: Final = 20
"""How long a leg that was answered waits for us. A worker that dies in between leaves nobody on a silent line."""
KEPT_S: Final = 120
"""The same for a leg that is connected to nothing: whoever asked for it takes it by its UUID."""
GRACE_S: Final = 10.0
"""After the second telephone must have stopped ringing."""
RINGBACK: Final = "%(1000,4000,425)"
"""A second of 425 Hz, and four of silence."""
CANCEL_S: Final = 8.0
"""How long a leg is looked for that is to be hung up: it may be on its way into existence."""


class Then(StrEnum):
    """What happens with the leg that answers."""

    PARK = ""
    DIAL = "dial"
    SECRETARY = "secretary"


@dataclass(frozen=True, slots=True)
class Wish:
    """An originate's arguments."""

    number: str
    kind: str
    then: Then
    to: str
    to_kind: str
    ring_s: int
    to_ring_s: int
    shown_number: str
    shown_name: str
    caller_id_number: str
    caller_id_name: str
    tell: bool

    @classmethod
    def of(cls, job: Job) -> Wish:
        """Read a job. Raises ValueError for a `then` that is none."""
        return cls(
            number=job.argument("number"),
            kind=job.argument("kind") or DestinationKind.EXTENSION,
            then=Then(job.argument("then")),
            to=job.argument("to"),
            to_kind=job.argument("to_kind") or DestinationKind.EXTENSION,
            ring_s=_seconds(job.argument("ring_s"), MOST_RING_S),
            to_ring_s=_seconds(job.argument("to_ring_s"), MOST_SECOND_S),
            shown_number=job.argument("shown_number"),
            shown_name=job.argument("shown_name"),
            caller_id_number=job.argument("caller_id_number"),
            caller_id_name=job.argument("caller_id_name"),
            tell=job.argument("tell") == "yes",
        )


def _seconds(text: str, most: int) -> int:
    known = text.isascii() and text.isdigit() and len(text) < 6
    return min(max(int(text), LEAST_RING_S), most) if known else RING_S


def refuse(job: Job) -> JobResult | None:
    """Ask the policy about both numbers once more, and have the job dial the forms that it gives. None: go ahead.

    The number that may be outside counts against the domain's limits: the second, or that of whom a secretary calls.
    The other is only weighed.
    """
    try:
        wish = Wish.of(job)
    except ValueError:
        return JobResult(JobOutcome.NOT_ALLOWED, "unknown kind of originate")
    parts = [("number", wish.number, wish.kind)]
    if wish.then:
        parts.append(("to", wish.to, wish.to_kind if wish.then == Then.DIAL else DestinationKind.SECRETARY))
    counted = "to" if wish.then == Then.DIAL else "number"
    job.arguments.pop("toll_allow", None)  # the policy's word alone
    with tenant_context(job.domain_uuid):
        rules = dialling.rules_of()
        for name, number, kind in parts:
            if name == counted:
                decision = dialling.ask(
                    domain_uuid=job.domain_uuid,
                    number=number,
                    kind=kind,
                    new_call=True,
                    secretary_uuid=job.secretary_uuid,
                    job_uuid=job.job_uuid,
                    rules=rules,
                )
            else:
                decision = dialling.weigh(
                    domain_uuid=job.domain_uuid,
                    number=number,
                    kind=kind,
                    secretary_uuid=job.secretary_uuid,
                    rules=rules,
                )
            if not decision.allowed:
                return JobResult(JobOutcome.NOT_ALLOWED, f"{decision.reason} {decision.detail}".strip())
            job.arguments[name] = decision.dialled or number  # of this attempt; the row keeps what was wanted
            if decision.grant:
                job.arguments["toll_allow"] = decision.grant
    return None


def refuse_to_hang_up(job: Job) -> JobResult | None:
    """Only what an originate of the same domain has ringing is hung up by its job's UUID."""
    try:
        target = UUID(job.argument("job_uuid"))
    except ValueError:
        return JobResult(JobOutcome.NOT_ALLOWED, "no job's UUID")
    if jobs.status(domain_uuid=job.domain_uuid, job_uuid=target) is None:
        return JobResult(JobOutcome.NOT_ALLOWED, "the domain has no such job")
    return None


def originate(job: Job, switch: EslClient, endpoint: EslEndpoint) -> JobResult:
    """Ring the first telephone, and connect whoever answers. Raises EslError before anything was sent, and JobLost.

    A leg of the job's UUID on the switch means that the command went out before: it is not sent twice.
    """
    wish, leg = Wish.of(job), str(job.job_uuid)
    if switch.uuid_exists(leg):
        return JobResult(JobOutcome.DONE)
    if not jobs.mark_sent(job):
        raise JobLost
    give_connection_back()
    dial = dial_string(kind=wish.kind, number=wish.number, domain_name=endpoint.domain_name)
    try:
        given = {**variables(job, wish, endpoint), **loopback_variables(dial)}
        switch.originate(dial, variables=given, timeout_s=wish.ring_s)
    except CommandFailed as error:
        return ended(Leg.FIRST, cause_in(error.reply), answered=False)
    except (NotConnected, CommandTimeout) as error:
        return JobResult(JobOutcome.FAILED, f"no answer: {error}")
    match wish.then:
        case Then.PARK:
            return JobResult(JobOutcome.DONE)
        case Then.SECRETARY:
            return _to_secretary(job, wish, switch, endpoint)
    return _to_second(job, wish, switch, endpoint)


def variables(job: Job, wish: Wish, endpoint: EslEndpoint) -> dict[str, str]:
    """What is set on the first leg."""
    return {
        "origination_uuid": str(job.job_uuid),
        "origination_caller_id_number": wish.shown_number or wish.caller_id_number,
        "origination_caller_id_name": shown_name(wish.shown_name or wish.caller_id_name),
        "domain_uuid": str(job.domain_uuid),
        "domain_name": endpoint.domain_name,
        # Only an answer counts.
        "ignore_early_media": "true",
        "park_timeout": str(PARKED_S if wish.then else KEPT_S),
        "hangup_after_bridge": "true",
        **({"secretary_party_number": wish.number} if wish.then == Then.SECRETARY else {}),
        **({telling.TOKEN: told_token(job)} if wish.tell else {}),
        **({"toll_allow": classes} if (classes := job.argument("toll_allow")) else {}),  # FusionPBX's routes ask for it
    }


def told_token(job: Job) -> str:
    """By which a node knows the leg that it is to tell."""
    return telling.token_of(domain_uuid=job.domain_uuid, leg_uuid=job.job_uuid)


def _to_secretary(job: Job, wish: Wish, switch: EslClient, endpoint: EslEndpoint) -> JobResult:
    leg = str(job.job_uuid)
    if not jobs.mark_dialled(job):
        return _drop(leg, switch, "taken back")
    try:
        switch.api(commands.uuid_transfer(leg, wish.to, context=endpoint.domain_name))
    except CommandFailed:
        return ended(Leg.FIRST, "NORMAL_CLEARING")
    except (NotConnected, CommandTimeout) as error:
        return JobResult(JobOutcome.FAILED, f"no answer: {error}")
    return JobResult(JobOutcome.DONE)


def _to_second(job: Job, wish: Wish, switch: EslClient, endpoint: EslEndpoint) -> JobResult:
    leg = str(job.job_uuid)
    try:
        with open_watch(endpoint) as watch:
            hearing = Hearing(leg)
            hearing.begin(watch)
            if wish.tell:
                give_connection_back()
                watch.api(telling.tell(leg, context=endpoint.domain_name, parked_s=PARKED_S))
                if (refused := hearing.wait_told(watch)) is not None:
                    return refused
            for name, value in _for_second(wish).items():
                watch.uuid_setvar(leg, name, value)
            if not jobs.mark_dialled(job):
                return _drop(leg, watch, "taken back")
            give_connection_back()
            hearing.dialled = True
            watch.api(commands.uuid_transfer(leg, wish.to, context=endpoint.domain_name))
            return hearing.wait(watch, wish.to_ring_s + GRACE_S)
    except CommandFailed:
        return ended(Leg.FIRST, "NORMAL_CLEARING")  # no such channel: whoever answered has hung up meanwhile
    except EslError as error:
        return _drop(leg, switch, f"no answer: {error}")


def _for_second(wish: Wish) -> dict[str, str]:
    """What the leg gets for the way on. The number that the first telephone showed must not become the caller's."""
    number = wish.caller_id_number or (wish.number if wish.kind == DestinationKind.EXTENSION else "")
    given = {
        "effective_caller_id_number": number,
        "effective_caller_id_name": shown_name(wish.caller_id_name) or number,
        "call_timeout": str(wish.to_ring_s),
        # Whoever waits hears it ring: what its network plays, else our tone. An answered leg gets none by itself.
        "ignore_early_media": "false",
        "transfer_ringback": RINGBACK,
    }
    if wish.caller_id_number:  # FusionPBX's outbound routes take these
        given["outbound_caller_id_number"] = wish.caller_id_number
        given["outbound_caller_id_name"] = shown_name(wish.caller_id_name) or wish.caller_id_number
    return {name: value for name, value in given.items() if value}


def _drop(leg: str, switch: EslClient, reason: str) -> JobResult:
    """Hang the first leg up, as far as the switch can be reached; a parked one ends by itself."""
    try:
        switch.uuid_kill(leg, "ORIGINATOR_CANCEL")
    except EslError as error:
        log.info("originate.leg_not_dropped", leg=leg, reason=str(error)[:200])
    return JobResult(JobOutcome.FAILED, reason)


@contextmanager
def _own_connection(endpoint: EslEndpoint) -> Iterator[EslClient]:
    """A connection with subscriptions of its own. Imported late: greenswitch brings gevent."""
    from eslbridge.esl.green import GreenClient
    from eslbridge.esl.pool import address_of

    client = GreenClient(address_of(endpoint))
    client.connect()
    try:
        yield client
    finally:
        client.close()


open_watch: Callable[[EslEndpoint], AbstractContextManager[EslClient]] = _own_connection


def hang_up_ringing(job: Job, switch: EslClient) -> JobResult:
    """Hang up what an originate of the same domain has ringing. Raises JobLost."""
    target = UUID(job.argument("job_uuid"))
    if not jobs.mark_sent(job):
        raise JobLost
    deadline = time.monotonic() + CANCEL_S
    while True:
        give_connection_back()
        try:
            switch.uuid_kill(str(target), "ORIGINATOR_CANCEL")
            return JobResult(JobOutcome.DONE)
        except CommandFailed:  # not there yet, or not any more
            if jobs.is_over(domain_uuid=job.domain_uuid, job_uuid=target) or time.monotonic() > deadline:
                return JobResult(JobOutcome.DONE)
        time.sleep(0.25)
