"""Placing callbacks: each at its time, once, and never without consent.

A placement is one transaction: the row is claimed by a conditional update whose count decides, the attempt is written
under the job's UUID, and the job is born with it. A worker that dies in between has done nothing, or all of it: then
the job is a row, which the sweeper of jobs looks after. `attempt_ended` runs in the transaction in which the job ends.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import structlog
from django.db.models import F, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from eslbridge import dialling, jobs
from eslbridge.models import Job, JobKind
from eslbridge.policy import DestinationKind
from secretary.errors import CallbackRefused
from secretary.models import Callback, CallbackAttempt, CallbackState, CallingRules, Destination
from secretary.services.availability import Availability
from secretary.services.callback_times import next_moment
from secretary.services.callbacks import kind_of, whom
from secretary.services.calling_rules import calling_rules_of
from secretary.services.colleague import colleague_free
from secretary.webhooks import callback_facts as facts
from tenants import audit
from tenants.context import platform_context, tenant_context
from tenants.models import Domain

log = structlog.get_logger(__name__)

BATCH: Final = 200
LONGEST_S: Final = 60.0
"""How long one run may take; the next one goes on where this one stopped."""
NOT_FREE: Final = timedelta(minutes=2)
"""After which a colleague who was not free is looked at again. It is no attempt."""
TOO_MUCH: Final = timedelta(minutes=10)
"""The same where the domain's limits say that it is enough for now."""
ENGAGED: Final = "colleague_busy"
FOR_NOW: Final = frozenset({"per_call", "per_hour", "per_day", "calls_full", "minutes"})

TOLD_BY: Final = timedelta(minutes=1)
"""By then the end of a job is in its callback, unless writing it has failed."""

AskFree = Callable[..., Availability]


@dataclass(frozen=True, slots=True)
class Placed:
    """What one run did: numbers of callbacks."""

    placed: int = 0
    put_off: int = 0
    expired: int = 0


def place_due(now: datetime | None = None, *, ask_free: AskFree = colleague_free) -> Placed:
    """Place what is due in all domains, and give up what came too late. Harmless beside another run."""
    moment, until = now or timezone.now(), time.monotonic() + LONGEST_S
    expired = expire(moment)
    mend(moment)
    with platform_context():
        rows = list(
            Callback.objects.filter(_due(moment), domain__enabled=True)
            .order_by("next_attempt_at")
            .values_list("domain_id", "pk")[:BATCH]
        )
    random.shuffle(rows)  # so that no domain always comes last
    placed = put_off = 0
    for domain_uuid, callback_uuid in rows:
        if time.monotonic() > until:
            break
        try:
            if _place_if_free(domain_uuid, callback_uuid, moment, ask_free) is not None:
                placed += 1
            else:
                put_off += 1
        except Exception:  # one row's trouble is not the others'
            log.exception("callback.not_placed", domain=str(domain_uuid), callback=str(callback_uuid))
    if placed or put_off or expired:
        log.info("callbacks.placed", placed=placed, put_off=put_off, expired=expired)
    return Placed(placed, put_off, expired)


def _due(now: datetime) -> Q:
    return Q(
        state=CallbackState.WAITING,
        consent_at__isnull=False,
        destination__enabled=True,
        attempts__lt=F("max_attempts"),
        next_attempt_at__lte=now,
        not_before__lte=now,
        not_after__gt=now,
    )


def _place_if_free(domain_uuid: UUID, callback_uuid: UUID, now: datetime, ask_free: AskFree) -> UUID | None:
    """Place one callback if everything speaks for it; put it off where not."""
    with tenant_context(domain_uuid):
        row = Callback.objects.select_related("destination").filter(_due(now), pk=callback_uuid).first()
        if row is None or row.destination is None:
            return None
        rules = calling_rules_of()
        if not rules.automatic:
            return None
        allowed = next_moment(
            now,
            domain_uuid=domain_uuid,
            rules=rules,
            time_zone=Domain.objects.get().time_zone,
            destination_uuid=row.destination_id,
        )
        if allowed is None or allowed > now:
            _put_off(callback_uuid, allowed or now + timedelta(days=1), "closed")
            return None
        kind, number = row.destination.kind, row.destination.number
    free = ask_free(domain_uuid=domain_uuid, kind=kind, number=number)
    if free.blocks:
        with tenant_context(domain_uuid):
            _put_off(callback_uuid, now + NOT_FREE, f"colleague_{free.word}")
        return None
    try:
        return place(domain_uuid=domain_uuid, callback_uuid=callback_uuid, when=_due(now))
    except CallbackRefused as refused:
        log.info("callback.not_placed", callback=str(callback_uuid), reason=refused.reason)
        if refused.reason == ENGAGED:
            with tenant_context(domain_uuid):
                _put_off(callback_uuid, now + NOT_FREE, ENGAGED)
        return None


def _put_off(callback_uuid: UUID, until: datetime, why: str) -> None:
    waiting = Callback.objects.filter(pk=callback_uuid, state=CallbackState.WAITING)
    waiting.update(next_attempt_at=until, outcome=why[:24], updated_at=timezone.now())


BY_HAND: Final = Q(state__in=(CallbackState.WAITING, CallbackState.FAILED, CallbackState.EXPIRED))
"""A person may place what is not over, whatever the hours: they are there."""


def place_now(
    *, domain_uuid: UUID, callback_uuid: UUID, asked_by: str, destination_uuid: UUID | None = None, tell: bool = True
) -> UUID:
    """Place it at once because a person says so, from another telephone if they want. Returns the job's UUID.

    Without `tell` whoever picks up is connected without a word: they have just read what it is about.

    Raises CallbackRefused: not_open, nobody, no_consent, unknown_destination, not_a_person, or the policy's word.
    """
    with tenant_context(domain_uuid):
        job_uuid = place(
            domain_uuid=domain_uuid,
            callback_uuid=callback_uuid,
            when=BY_HAND,
            asked_by=asked_by,
            destination_uuid=destination_uuid,
            tell=tell,
        )
        if job_uuid is None:
            raise CallbackRefused("not_open")
        row = Callback.objects.get(pk=callback_uuid)
        if row.state != CallbackState.RUNNING:
            raise CallbackRefused(row.outcome_detail or row.outcome)
    return job_uuid


def place(
    *,
    domain_uuid: UUID,
    callback_uuid: UUID,
    when: Q,
    asked_by: str = "",
    destination_uuid: UUID | None = None,
    tell: bool = True,
) -> UUID | None:
    """Claim a callback and give birth to its attempt and job, in one transaction. None: it is not to be placed.

    Of any number who try at the same moment, one does. Raises CallbackRefused.
    """
    job_uuid, now = uuid4(), timezone.now()
    with tenant_context(domain_uuid):
        seen = Callback.objects.filter(when, pk=callback_uuid).first()
        if seen is None:
            return None
        # Columns of this row alone: a join would make it a subquery, which PostgreSQL does not judge anew after waiting
        # for another claim, and two would have it.
        unclaimed = Callback.objects.filter(
            pk=callback_uuid, state=seen.state, attempts=seen.attempts, consent_at__isnull=False
        )
        claimed = unclaimed.update(
            state=CallbackState.RUNNING, attempts=F("attempts") + 1, job_uuid=job_uuid, next_attempt_at=None,
            outcome="", outcome_detail="", finished_at=None, updated_at=now,
        )  # fmt: skip
        if not claimed:
            return None
        row = Callback.objects.select_related("destination", "domain").get(pk=callback_uuid)
        colleague = whom(destination_uuid) or row.destination
        if colleague is None or not colleague.enabled:
            raise CallbackRefused("nobody")
        if not asked_by and _has_another(colleague):
            raise CallbackRefused(ENGAGED)
        kind = kind_of(row.number)
        decision = dialling.ask(
            domain_uuid=domain_uuid, number=row.number, kind=kind, new_call=True, secretary_uuid=row.secretary_id,
            job_uuid=job_uuid,
        )  # fmt: skip
        if not decision.allowed:
            _not_allowed(row, decision.reason, now)
            return job_uuid if asked_by else None
        CallbackAttempt.objects.create(
            attempt_uuid=job_uuid, callback=row, position=row.attempts, destination=colleague, asked_by=asked_by[:200]
        )
        rules = calling_rules_of()
        jobs.create_job(
            domain_uuid=domain_uuid,
            kind=JobKind.ORIGINATE,
            job_uuid=job_uuid,
            secretary_uuid=row.secretary_id,
            arguments={
                "callback_uuid": str(row.pk),
                "number": colleague.number,
                "kind": colleague.kind,
                "ring_s": str(colleague.ring_s),
                "then": "dial",
                "to": row.number,
                "to_kind": kind,
                "shown_number": row.number,
                "shown_name": _shown(row),
                **({"tell": "yes"} if tell else {}),
                **to_second(rules),
            },
        )
        audit.log(
            "callback.placed", audit.subject_of(row), new={"attempt": row.attempts, "destination": colleague.name}
        )
        facts.callback_due(row)
    return job_uuid


def _has_another(colleague: Destination) -> bool:
    """Whether a colleague's telephone rings for another callback, or is about to: the switch does not know that yet."""
    if colleague.kind != DestinationKind.EXTENSION:
        return False
    Destination.objects.select_for_update(of=("self",)).get(pk=colleague.pk)  # two at the same moment
    open_ones = CallbackAttempt.objects.filter(destination=colleague, ended_at__isnull=True)
    return open_ones.filter(callback__state=CallbackState.RUNNING).exists()


def to_second(rules: CallingRules) -> dict[str, str]:
    """What the second telephone is shown, and for how long it rings: the domain's own settings, and nobody else's."""
    return {
        "caller_id_number": rules.caller_id_number,
        "caller_id_name": rules.caller_id_name,
        "to_ring_s": str(rules.customer_ring_s),
    }


def _shown(row: Callback) -> str:
    with translation.override(row.domain.language):
        return f"{_('Callback')} {row.name}".strip()


def _not_allowed(row: Callback, reason: str, now: datetime) -> None:
    """The policy refuses the number: for now, or for good. That is no attempt."""
    row.attempts -= 1
    row.job_uuid = None
    row.outcome, row.outcome_detail = "not_allowed", reason
    if reason in FOR_NOW:
        row.state, row.next_attempt_at = CallbackState.WAITING, now + TOO_MUCH
        row.save()
        return
    row.state, row.finished_at = CallbackState.FAILED, now
    row.save()
    facts.callback_ended(row)


def expire(now: datetime | None = None) -> int:
    """Give up what nobody placed in time. Returns how many."""
    moment = now or timezone.now()
    with platform_context():
        rows = list(
            Callback.objects.filter(state=CallbackState.WAITING, not_after__lte=moment)
            .order_by("not_after")
            .values_list("domain_id", "pk")[:BATCH]
        )
    expired = 0
    for domain_uuid, callback_uuid in rows:
        with tenant_context(domain_uuid):
            over = Callback.objects.filter(pk=callback_uuid, state=CallbackState.WAITING, not_after__lte=moment)
            if over.update(
                state=CallbackState.EXPIRED, finished_at=moment, next_attempt_at=None, updated_at=timezone.now()
            ):
                facts.callback_ended(Callback.objects.get(pk=callback_uuid))
                expired += 1
    return expired


def mend(now: datetime | None = None) -> int:
    """End the callbacks whose job is over, or gone, and which nobody has told so. Returns how many; usually none."""
    silent = (now or timezone.now()) - TOLD_BY
    with platform_context():
        rows = list(
            Callback.objects.filter(state=CallbackState.RUNNING, updated_at__lte=silent).values_list(
                "domain_id", "pk", "job_uuid"
            )[:BATCH]
        )
    mended = 0
    for domain_uuid, callback_uuid, job_uuid in rows:
        try:
            with tenant_context(domain_uuid):
                mended += _mend(callback_uuid, job_uuid)
        except Exception:  # one row's trouble is not the others'
            log.exception("callback.not_mended", domain=str(domain_uuid), callback=str(callback_uuid))
    return mended


def _mend(callback_uuid: UUID, job_uuid: UUID | None) -> bool:
    job = Job.objects.filter(pk=job_uuid).first() if job_uuid is not None else None
    if job is not None:
        if job.is_final:
            attempt_ended(job)
        return job.is_final
    row = Callback.objects.select_for_update(of=("self",)).get(pk=callback_uuid)
    row.state, row.outcome, row.finished_at = CallbackState.FAILED, UNKNOWN, timezone.now()
    row.save()
    facts.callback_ended(row)
    return True


# --- how an attempt ended --------------------------------------------------------------------------------------------


def attempt_ended(job: Job) -> None:
    """A callback's job is over: it is done, waits for another attempt, or is given up. Inside the job's transaction."""
    now = timezone.now()
    outcome = outcome_of_attempt(job)
    leg = {"first": "colleague", "second": "customer"}.get(str(job.detail.get("leg", "")), "")
    cause = str(job.detail.get("cause", ""))
    CallbackAttempt.objects.filter(pk=job.pk, ended_at__isnull=True).update(
        outcome=outcome, leg=leg, cause=cause[:60], ended_at=now, updated_at=now
    )
    row = Callback.objects.select_for_update(of=("self",)).filter(job_uuid=job.pk).first()
    if row is None or (row.state == CallbackState.CANCELLED and outcome != "done"):
        return
    if row.state not in (CallbackState.RUNNING, CallbackState.CANCELLED):
        return
    row.outcome, row.outcome_detail = outcome, " ".join(part for part in (leg, cause) if part)[:200]
    row.state, row.next_attempt_at = _next(row, outcome, cause, now)
    enough = outcome == "not_allowed" and job.reason.partition(" ")[0] in FOR_NOW
    if enough and row.attempts < row.max_attempts and now + TOO_MUCH < row.not_after:
        row.state, row.next_attempt_at = CallbackState.WAITING, now + TOO_MUCH
        row.outcome_detail = job.reason[:200]
    row.finished_at = None if row.state == CallbackState.WAITING else now
    row.save()
    if row.state != CallbackState.WAITING:
        facts.callback_ended(row)


UNKNOWN: Final = "unknown"
"""The second number was dialled, and nobody knows what became of it. It is not dialled again by itself."""
WRONG_NUMBER: Final = frozenset({"UNALLOCATED_NUMBER", "INVALID_NUMBER_FORMAT", "NUMBER_CHANGED"})


def outcome_of_attempt(job: Job) -> str:
    """One word: done, cancelled, unknown, or the job's own."""
    if job.state in ("done", "cancelled"):
        return str(job.state)
    if job.dialled_at is not None and not job.detail:
        return UNKNOWN
    return str(job.outcome)


def _next(row: Callback, outcome: str, cause: str, now: datetime) -> tuple[CallbackState, datetime | None]:
    if outcome == "done":
        return CallbackState.DONE, None
    if outcome == "cancelled":
        return CallbackState.CANCELLED, None
    hopeless = outcome in (UNKNOWN, "not_allowed") or cause in WRONG_NUMBER
    if hopeless or row.attempts >= row.max_attempts:
        return CallbackState.FAILED, None
    again = now + timedelta(minutes=row.spacing_minutes)
    if again >= row.not_after:
        return CallbackState.FAILED, None
    return CallbackState.WAITING, again
