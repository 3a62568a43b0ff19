"""Writes: the wish to be called back, from its first word to its end by hand. Placing it is `placing`'s.

Without consent nothing is stored: who agreed, when and how is part of the wish. A number that the policy would not dial
is refused at once, so that nobody is promised what will not happen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from eslbridge import dialling, jobs
from eslbridge.models import Job
from eslbridge.policy import DestinationKind, Rules
from secretary.errors import CallbackRefused
from secretary.models import Call, Callback, CallbackState, ConsentHow, Destination, Secretary
from secretary.models.destination import PERSONS
from secretary.redaction import redact
from secretary.selectors.data_rules import redaction_of
from secretary.services import clean
from secretary.services.calling_rules import calling_rules_of
from secretary.services.optimistic import StaleRowError
from secretary.webhooks import callback_facts as facts
from tenants import audit
from tenants.context import current_domain_uuid, tenant_context

MOST_OPEN: Final = 500
"""Of one domain: more are a loop of somebody's program, or an attack by telephone."""
MOST_OF_A_NUMBER: Final = 5
"""Open at the same time for one number."""


@dataclass(frozen=True, slots=True)
class Consent:
    """That somebody agreed to be called back: how they said so, with whom, and when."""

    how: ConsentHow | str
    by: str = ""
    """The secretary, person or key that heard it."""
    at: datetime | None = None
    """None: now."""


def request_callback(
    *,
    domain_uuid: UUID,
    secretary_uuid: UUID | None,
    call_uuid: UUID | None,
    number: str,
    name: str,
    reason: str,
    consent: Consent | None,
    not_before: datetime | None,
    not_after: datetime | None,
    destination_uuid: UUID | None = None,
    max_attempts: int | None = None,
    spacing_minutes: int | None = None,
    callback_uuid: UUID | None = None,
) -> UUID:
    """Keep a caller's wish. Returns its UUID. Raises CallbackRefused, ValidationError.

    With a `callback_uuid` that exists already nothing is made: asking twice is one wish.
    """
    now = timezone.now()
    if consent is None or consent.how not in ConsentHow.values:
        raise CallbackRefused("no_consent")
    with tenant_context(domain_uuid):
        if callback_uuid is not None and Callback.objects.filter(pk=callback_uuid).exists():
            return callback_uuid
        rules = calling_rules_of()
        number = dialable(number, secretary_uuid)
        _check_room(number)
        begins = max(not_before or now, now)
        row = Callback(
            callback_uuid=callback_uuid or uuid4(),
            number=number,
            name=_told(name, 120),
            reason=_told(reason, 500),
            secretary=_found(Secretary, secretary_uuid, "unknown_secretary"),
            call=_found(Call, call_uuid, "unknown_call"),
            destination=whom(destination_uuid),
            consent_at=consent.at or now,
            consent_how=consent.how,
            consent_by=_told(consent.by, 200),
            not_before=begins,
            not_after=not_after or begins + timedelta(hours=rules.expires_hours),
            max_attempts=max_attempts or rules.max_attempts,
            spacing_minutes=spacing_minutes or rules.spacing_minutes,
            next_attempt_at=begins,
        )
        if row.not_after <= begins:
            raise CallbackRefused("too_late")
        row.full_clean()
        row.save(force_insert=True)
        audit.saved(row, None)
        facts.callback_requested(row)
    return row.pk


def dialable(number: str, secretary_uuid: UUID | None) -> str:
    """A number that may be dialled for a secretary, as it is kept. Raises CallbackRefused with the policy's word."""
    plain = "".join(letter for letter in number if letter.isascii() and (letter.isdigit() or letter in "+*#"))
    if "*" in plain or "#" in plain:
        raise CallbackRefused("malformed")  # nobody is called back at a feature code, whatever their caller ID says
    domain_uuid = current_domain_uuid()
    assert domain_uuid is not None  # noqa: S101 - for the types; the queries have said so
    decision = dialling.weigh(domain_uuid=domain_uuid, number=plain, kind=kind_of(plain), secretary_uuid=secretary_uuid)
    if not decision.allowed:
        raise CallbackRefused(decision.reason)
    return decision.e164 or plain


def kind_of(number: str, rules: Rules | None = None) -> DestinationKind:
    """Whether a number is one of the domain's own telephones or a public one."""
    inside = not number.startswith("+") and len(number) <= (rules or dialling.rules_of()).internal_digits
    return DestinationKind.EXTENSION if inside else DestinationKind.EXTERNAL


def whom(destination_uuid: UUID | None) -> Destination | None:
    """The destination whose telephone rings first. Raises CallbackRefused."""
    row: Destination | None = _found(Destination, destination_uuid, "unknown_destination")
    if row is not None and row.kind not in PERSONS:
        raise CallbackRefused("not_a_person")
    return row


def _found(model: Any, uuid: UUID | None, reason: str) -> Any:
    if uuid is None:
        return None
    row = model.objects.filter(pk=uuid).first()
    if row is None:
        raise CallbackRefused(reason)
    return row


def _check_room(number: str) -> None:
    waiting = Callback.objects.filter(state__in=(CallbackState.WAITING, CallbackState.RUNNING))
    if waiting.filter(number=number).count() >= MOST_OF_A_NUMBER or waiting.count() >= MOST_OPEN:
        raise CallbackRefused("too_many")


# --- changes by hand -----------------------------------------------------------------------------------------------


def _told(text: str, most: int) -> str:
    """A line as it may be kept. Shortened in the end: half a card number would not be known for one."""
    return clean.line(redact(clean.text(text), redaction_of()), most)


def _locked(callback_uuid: UUID, seen_at: datetime | None) -> Callback:
    """The row, locked after its job: in the order in which a job that ends locks both."""
    job_uuid = Callback.objects.values_list("job_uuid", flat=True).get(pk=callback_uuid)
    if job_uuid is not None:
        Job.objects.select_for_update(of=("self",)).filter(pk=job_uuid).first()
    row = Callback.objects.select_for_update(of=("self",)).get(pk=callback_uuid)
    if seen_at is not None and row.updated_at != seen_at:
        raise StaleRowError(row)
    return row


@transaction.atomic
def change_callback(*, callback_uuid: UUID, seen_at: datetime | None = None, **changes: Any) -> Callback:
    """Change what it is about, whom it is for, or its times. One that failed or expired waits again then.

    Fields: name, reason, destination_uuid, not_before, not_after, max_attempts, spacing_minutes. Raises
    Callback.DoesNotExist, StaleRowError, CallbackRefused("not_open", …), ValidationError.
    """
    row = _locked(callback_uuid, seen_at)
    if row.state not in (CallbackState.WAITING, CallbackState.FAILED, CallbackState.EXPIRED):
        raise CallbackRefused("not_open")
    before, now = audit.before(row), timezone.now()
    if "name" in changes:
        row.name = _told(changes["name"], 120)
    if "reason" in changes:
        row.reason = _told(changes["reason"], 500)
    if "destination_uuid" in changes:
        row.destination = whom(changes["destination_uuid"])
    for name in ("not_before", "not_after", "max_attempts", "spacing_minutes"):
        if changes.get(name) is not None:
            setattr(row, name, changes[name])
    if row.is_over_at(now):
        raise CallbackRefused("too_late")
    if row.state != CallbackState.WAITING:
        row.state, row.finished_at = CallbackState.WAITING, None
        if row.attempts >= row.max_attempts:
            row.max_attempts = row.attempts + calling_rules_of().max_attempts
        row.next_attempt_at = max(row.not_before, now)
    elif "not_before" in changes:
        row.next_attempt_at = max(row.not_before, now)
    row.full_clean()
    row.save()
    audit.saved(row, before)
    return row


@transaction.atomic
def cancel_callback(*, callback_uuid: UUID, seen_at: datetime | None = None) -> Callback:
    """Take it back. What is ringing for it is hung up. Raises Callback.DoesNotExist, StaleRowError, CallbackRefused."""
    row = _locked(callback_uuid, seen_at)
    if row.state not in (CallbackState.WAITING, CallbackState.RUNNING, CallbackState.FAILED, CallbackState.EXPIRED):
        raise CallbackRefused("not_open")
    if row.state == CallbackState.RUNNING and row.job_uuid is not None:
        taken_back = jobs.cancel(
            domain_uuid=row.domain_uuid, job_uuid=row.job_uuid, reason="the callback was cancelled"
        )
        if not taken_back and not jobs.cancel_ringing(domain_uuid=row.domain_uuid, job_uuid=row.job_uuid):
            raise CallbackRefused("not_open")
        row.refresh_from_db()  # the end of the job may have ended it already
        if row.state == CallbackState.CANCELLED:
            audit.log("callback.cancelled", audit.subject_of(row))
            return row
    before = audit.before(row)
    _end(row, CallbackState.CANCELLED, "cancelled")
    audit.saved(row, before)
    facts.callback_ended(row)
    return row


@transaction.atomic
def finish_callback(*, callback_uuid: UUID, seen_at: datetime | None = None) -> Callback:
    """Somebody has called by themselves. Raises Callback.DoesNotExist, StaleRowError, CallbackRefused."""
    row = _locked(callback_uuid, seen_at)
    if row.state not in (CallbackState.WAITING, CallbackState.FAILED, CallbackState.EXPIRED):
        raise CallbackRefused("not_open")
    before = audit.before(row)
    _end(row, CallbackState.DONE, "by_hand")
    audit.saved(row, before)
    facts.callback_ended(row)
    return row


def _end(row: Callback, state: CallbackState, outcome: str) -> None:
    row.state, row.outcome, row.outcome_detail = state, outcome, ""
    row.finished_at, row.next_attempt_at = timezone.now(), None
    row.save()
