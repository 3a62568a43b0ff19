"""A call's row: opened with a slot of the tenant's quota, kept alive by its node, written whole at its end."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import IntegrityError, connection, transaction
from django.db.models import Max, Q
from django.utils import timezone

from secretary.errors import ForeignCall, QuotaFull
from secretary.models import Call, CallEvent, CallOutcome, Destination, Speaker, Utterance
from secretary.profiles import CallRecord, SecretaryProfile
from secretary.services import clean
from secretary.services.messages import save_message
from secretary.webhooks import facts
from tenants.context import platform_context, tenant_context
from tenants.models import Domain

log = structlog.get_logger(__name__)

LEASE: Final = timedelta(seconds=60)
"""How long a slot stays taken without a sign of its node; nodes renew every 20 s."""
RENEW_EVERY_S: Final = 20
NODE_LOST: Final = "node_lost"
MAX_UTTERANCES: Final = 2_000
MAX_EVENTS: Final = 5_000


@dataclass(frozen=True, slots=True)
class OpenedCall:
    """`resumed`: this node takes over a call that already has a row (its node died, or it came back to us)."""

    call_uuid: UUID
    started_at: datetime
    resumed: bool


def open_call(
    *,
    profile: SecretaryProfile,
    call_uuid: UUID,
    node: str,
    transport: str = "",
    caller_number: str = "",
    caller_name: str = "",
) -> OpenedCall:
    """Take a call slot and write the call's row. Texts come from SIP and are cleaned. Raises QuotaFull.

    Counting and inserting happen under a lock of the tenant, so of ten calls for the last slot exactly one gets it.
    A call that has a row already keeps its slot, or takes one again after its node was given up. Raises ForeignCall
    when the row is another tenant's: two domains on one switch can pass a channel on.
    """
    now = timezone.now()
    with tenant_context(profile.domain_uuid):
        _lock_slots(profile.domain_uuid)
        taken = Call.objects.filter(outcome=CallOutcome.IN_PROGRESS, lease_until__gt=now).exclude(call_uuid=call_uuid)
        if taken.count() >= profile.max_calls:
            raise QuotaFull(f"{profile.domain_name} has {profile.max_calls} calls in progress.")
        try:
            # What a second node, or a second secretary, changes of a call that came back.
            current = {
                "secretary_id": profile.secretary_uuid,
                "extension": clean.line(profile.extension, 40),
                "transport": clean.line(transport or profile.media.audio_transport, 32),
                "node": clean.line(node, 120),
                "lease_until": now + LEASE,
                "outcome": CallOutcome.IN_PROGRESS,
                "outcome_detail": "",
                "ended_at": None,
            }
            call, created = Call.objects.update_or_create(
                call_uuid=call_uuid,
                defaults=current,
                create_defaults={
                    **current,
                    "domain_id": profile.domain_uuid,
                    "caller_number": clean.line(caller_number, 64),
                    "caller_name": clean.line(caller_name, 120),
                    "started_at": now,
                },
            )
        except IntegrityError as error:
            raise ForeignCall("The channel is another tenant's call.") from error
        facts.call_started(call)
    return OpenedCall(call_uuid=call.call_uuid, started_at=call.started_at, resumed=not created)


def refuse_call(
    *,
    domain_uuid: UUID,
    call_uuid: UUID,
    reason: str,
    node: str,
    extension: str = "",
    caller_number: str = "",
    caller_name: str = "",
) -> bool:
    """Write down a call that went to the fallback at once (quota full, secretary disabled, …).

    False: there is no such domain, or the channel is on record already.
    """
    now = timezone.now()
    with tenant_context(domain_uuid):
        if not Domain.objects.exists():
            return False
        row = Call(
            call_uuid=call_uuid,
            domain_id=domain_uuid,
            extension=clean.line(extension, 40),
            caller_number=clean.line(caller_number, 64),
            caller_name=clean.line(caller_name, 120),
            node=clean.line(node, 120),
            lease_until=now,
            started_at=now,
            ended_at=now,
            outcome=CallOutcome.FALLBACK,
            outcome_detail=clean.line(reason, 200),
        )
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            return False
        facts.call_ended(row)
    return True


def renew_leases(*, node: str, call_uuids: Collection[UUID]) -> int:
    """A node's sign of life for all its calls at once, across tenants; every RENEW_EVERY_S. Returns calls renewed."""
    if not call_uuids:
        return 0
    with platform_context():
        alive = Call.objects.filter(call_uuid__in=call_uuids, node=node, outcome=CallOutcome.IN_PROGRESS)
        return alive.update(lease_until=timezone.now() + LEASE)


def finish_call(*, domain_uuid: UUID, call_uuid: UUID, record: CallRecord, node: str = "") -> bool:
    """Write outcome, transcript, timeline and message in one transaction, and free the slot.

    A call that another node has by now is not ended by this one (`node`): it only adds what was said here.

    Twice does no harm: the second returns False and changes nothing, except that a call which the sweeper had given
    up is still completed by the node that turns out to be alive.
    """
    now = timezone.now()
    with tenant_context(domain_uuid):
        call = (
            Call.objects.select_for_update(of=("self",))
            .filter(Q(outcome=CallOutcome.IN_PROGRESS) | Q(outcome=CallOutcome.FAILED, outcome_detail=NODE_LOST))
            .filter(call_uuid=call_uuid)
            .first()
        )
        if call is None:
            return False
        if node and call.outcome == CallOutcome.IN_PROGRESS and call.node != clean.line(node, 120):
            _write_transcript(call, record)
            return True
        call.outcome, call.outcome_detail = _final(record)
        call.answered_at = record.answered_at or call.answered_at
        call.ended_at = record.ended_at or now
        call.lease_until = now
        call.recording = clean.line(record.recording, 300)
        call.latency = clean.json_object(record.latency_ms)
        if record.destination_uuid is not None:
            # A destination may have been deleted while the call lasted.
            call.destination = Destination.objects.filter(destination_uuid=record.destination_uuid).first()
        call.save()
        _write_transcript(call, record)
        if record.message is not None:
            save_message(domain_uuid=domain_uuid, call_uuid=call_uuid, record=record.message)
        facts.call_ended(call)
        facts.messages_of(call)
    return True


def _final(record: CallRecord) -> tuple[str, str]:
    """The outcome as the table takes it. One word too many must not cost the whole record."""
    if record.outcome in CallOutcome.values and record.outcome != CallOutcome.IN_PROGRESS:
        return record.outcome, clean.line(record.outcome_detail, 200)
    log.error("call.unknown_outcome", outcome=record.outcome)
    return CallOutcome.FAILED, clean.line(f"{record.outcome} {record.outcome_detail}", 200)


def _write_transcript(call: Call, record: CallRecord) -> None:
    # A second node, or a call that came back, goes on after what is written: in order, and on the same clock.
    last = Utterance.objects.filter(call=call).aggregate(last=Max("position"))["last"]
    first = 0 if last is None else last + 1
    later_ms = 0
    if record.answered_at is not None and (first or CallEvent.objects.filter(call=call).exists()):
        later_ms = max(0, round((record.answered_at - call.started_at).total_seconds() * 1000))
    utterances = [
        Utterance(
            domain_id=call.domain_uuid,
            call=call,
            position=position,
            who=line.who if line.who in Speaker.values else Speaker.SECRETARY,
            text=clean.text(line.text),
            start_ms=clean.milliseconds(later_ms + line.start_ms),
            end_ms=clean.milliseconds(later_ms + max(line.start_ms, line.end_ms)),
            interrupted=line.interrupted,
        )
        for position, line in enumerate(record.utterances[:MAX_UTTERANCES], start=first)
    ]
    events = [
        CallEvent(
            domain_id=call.domain_uuid,
            call=call,
            at_ms=clean.milliseconds(later_ms + event.at_ms),
            kind=clean.line(event.kind, 60),
            detail=clean.json_object(event.detail),
        )
        for event in record.events[:MAX_EVENTS]
    ]
    dropped = len(record.utterances) - len(utterances) + len(record.events) - len(events)
    if dropped:
        log.warning("call.record_cut", call_uuid=str(call.call_uuid), dropped=dropped)
    Utterance.objects.bulk_create(utterances, batch_size=500)
    CallEvent.objects.bulk_create(events, batch_size=500)


def sweep_calls(now: datetime | None = None) -> int:
    """End the calls whose node gave no sign of life, in all tenants. Returns how many.

    FreeSWITCH has sent the caller on by itself (another node, or the fallback); this frees the row and the slot.
    """
    moment = now or timezone.now()
    with platform_context():
        lost = Call.objects.filter(outcome=CallOutcome.IN_PROGRESS, lease_until__lte=moment)
        rows = lost.select_for_update(of=("self",), skip_locked=True).order_by("lease_until")
        call_uuids = list(rows.values_list("call_uuid", flat=True)[:500])
        ended = Call.objects.filter(call_uuid__in=call_uuids).update(
            outcome=CallOutcome.FAILED, outcome_detail=NODE_LOST, ended_at=moment, updated_at=moment
        )
        for call in Call.objects.filter(call_uuid__in=call_uuids):
            with tenant_context(call.domain_uuid):
                facts.call_ended(call)
                facts.messages_of(call)
    if ended:
        log.warning("calls.node_lost", calls=ended, call_uuids=[str(call_uuid) for call_uuid in call_uuids[:20]])
    return ended


def _lock_slots(domain_uuid: UUID) -> None:
    """Let one transaction at a time count and take the tenant's call slots; released at its end."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"call-slots:{domain_uuid}"])
