"""A call's row: opened with a slot of the tenant's quota, kept alive by its node, written whole at its end."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.utils import timezone

from secretary.errors import BudgetUsedUp, ForeignCall, MinutesUsedUp, QuotaFull
from secretary.models import Call, CallEvent, CallOutcome, Destination, Speaker, UsageUnit, Utterance
from secretary.profiles import CallRecord, SecretaryProfile, UsageItem
from secretary.selectors.data_rules import redaction_of
from secretary.selectors.prices import unit_prices
from secretary.services import clean, message_mail, redacting
from secretary.services.allowance import GRANT_S, LEAST_S, first_grant, lock_slots, out_of_money
from secretary.services.messages import save_message
from secretary.services.metering import meter_call
from secretary.services.quota_alarms import look
from secretary.tools import remains
from secretary.webhooks import facts
from tenants.context import platform_context, tenant_context
from tenants.models import Domain
from tenants.quotas import limits_calls, quota_of

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
    used: tuple[UsageItem, ...] = ()
    """What it had used by then, on a node that is gone."""
    allowed_s: float | None = None
    """How many seconds the domain's quotas let it last from now on; renewals change it. None: no end."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the caller had told of themselves by then."""


def open_call(
    *,
    profile: SecretaryProfile,
    call_uuid: UUID,
    node: str,
    transport: str = "",
    caller_number: str = "",
    caller_name: str = "",
    toll_allow: str = "",
    model: str = "",
) -> OpenedCall:
    """Take a call slot and write the call's row. Texts come from SIP and are cleaned.

    Raises QuotaFull, MinutesUsedUp, BudgetUsedUp. Counting and inserting happen under a lock of the tenant, so of ten
    calls for the last slot, or for the last minute, exactly one gets it.
    A call that has a row already keeps its slot, or takes one again after its node was given up. Raises ForeignCall
    when the row is another tenant's: two domains on one switch can pass a channel on.
    """
    now = timezone.now()
    with tenant_context(profile.domain_uuid):
        lock_slots(profile.domain_uuid)
        taken = Call.objects.filter(outcome=CallOutcome.IN_PROGRESS, lease_until__gt=now).exclude(call_uuid=call_uuid)
        if taken.count() >= profile.max_calls:
            raise QuotaFull(f"{profile.domain_name} has {profile.max_calls} calls in progress.")
        prices = unit_prices(profile.provider, model)
        granted_until, allowed_s = _grant(profile, call_uuid, prices, now)
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
                "provider": clean.line(profile.provider, 40),
                "model": clean.line(model, 120),
                "second_price": prices.get(UsageUnit.SECOND, 0),
                "granted_until": granted_until,
            }
            call, created = Call.objects.update_or_create(
                call_uuid=call_uuid,
                defaults=current,
                create_defaults={
                    **current,
                    "domain_id": profile.domain_uuid,
                    "caller_number": clean.line(caller_number, 64),
                    "caller_name": clean.line(caller_name, 120),
                    "toll_allow": clean.line(toll_allow, 200),
                    "started_at": now,
                },
            )
        except IntegrityError as error:
            raise ForeignCall("The channel is another tenant's call.") from error
        if not created and call.answered_at is None:
            # Its first node has answered and spoken: those seconds were used, though nobody has written them down.
            Call.objects.filter(pk=call.pk).update(answered_at=call.started_at)
        facts.call_started(call)
    return OpenedCall(
        call_uuid=call.call_uuid,
        started_at=call.started_at,
        resumed=not created,
        used=used_so_far(call.used),
        allowed_s=allowed_s,
        facts={str(name): str(told) for name, told in call.facts.items()},
    )


def _grant(
    profile: SecretaryProfile, call_uuid: UUID, prices: Mapping[str, Decimal], now: datetime
) -> tuple[datetime | None, float | None]:
    """Until when the domain's quotas carry the call, and how many seconds there are left for it."""
    quota = quota_of()
    if not limits_calls(quota):
        return None, None
    again = Call.objects.filter(pk=call_uuid).values_list("started_at", flat=True).first()
    price = prices.get(UsageUnit.SECOND, Decimal(0))
    rest, spent = first_grant(quota, ZoneInfo(profile.time_zone), price, now, call_uuid=call_uuid, began=again or now)
    if any(prices.values()) and out_of_money(quota, spent):
        raise BudgetUsedUp(f"{profile.domain_name} has used its money.")
    if rest.seconds is None:
        return now + timedelta(seconds=GRANT_S), None
    if rest.seconds < LEAST_S:
        raise (BudgetUsedUp if rest.money else MinutesUsedUp)(f"{profile.domain_name} has {rest.seconds:.0f} s left.")
    granted_s = min(float(rest.seconds), GRANT_S)
    return now + timedelta(seconds=granted_s), granted_s


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
        domain = Domain.objects.first()
        if domain is None:
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
        if reason in (MinutesUsedUp.reason, BudgetUsedUp.reason):
            look(quota_of(), ZoneInfo(domain.time_zone), now, turned_away=True)
    return True


def renew_leases(*, node: str, call_uuids: Collection[UUID]) -> int:
    """A node's sign of life for all its calls at once, across tenants; every RENEW_EVERY_S. Returns calls renewed."""
    if not call_uuids:
        return 0
    with platform_context():
        alive = Call.objects.filter(call_uuid__in=call_uuids, node=node, outcome=CallOutcome.IN_PROGRESS)
        return alive.update(lease_until=timezone.now() + LEASE)


def used_so_far(stored: object) -> tuple[UsageItem, ...]:
    """What a node told with its sign of life, as the row has it."""
    found = []
    for one in stored if isinstance(stored, list) else ():
        try:
            found.append(UsageItem(one["provider"], one["unit"], float(one["quantity"]), one.get("model", "")))
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
    return tuple(found)


def note_usage(*, node: str, used: Mapping[UUID, tuple[tuple[UsageItem, ...], Decimal]]) -> None:
    """What a node's calls have used so far, and what that costs besides their seconds; with its sign of life.

    Should the node be lost, this is what the calls are charged.
    """
    if not used:
        return
    with platform_context():
        rows = list(
            Call.objects.filter(call_uuid__in=used, node=node, outcome=CallOutcome.IN_PROGRESS).only("used", "spent")
        )
        for row in rows:
            items, spent = used[row.call_uuid]
            row.used = [
                {"provider": one.provider, "model": one.model, "unit": one.unit, "quantity": one.quantity}
                for one in items
            ]
            row.spent = spent.quantize(Decimal("0.000001"))
        Call.objects.bulk_update(rows, ["used", "spent"], batch_size=200)


def note_facts(*, domain_uuid: UUID, call_uuid: UUID, node: str, given: Mapping[str, str]) -> None:
    """What the caller has told of themselves so far: should the node be lost, the next one goes on with it."""
    with tenant_context(domain_uuid):
        alive = Call.objects.filter(call_uuid=call_uuid, node=node, outcome=CallOutcome.IN_PROGRESS)
        for call in alive.select_for_update(of=("self",)):
            call.facts = {**call.facts, **remains.facts_of(given, redaction_of())}
            call.save(update_fields=("facts", "updated_at"))


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
            call.facts = {**remains.facts_of(record.facts, redaction_of()), **call.facts}
            call.save(update_fields=("facts", "updated_at"))
            return True
        came_in_with = (call.provider, call.model)
        if record.provider:
            call.provider, call.model = clean.line(record.provider, 40), clean.line(record.model, 120)
        call.outcome, call.outcome_detail = _final(record)
        call.answered_at = call.answered_at or record.answered_at
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
        remains.fill(call, record, redaction_of())
        call.save(update_fields=("summary", "facts", "disclosure", "prompt_version", "updated_at"))
        _meter(call, call.answered_at, call.ended_at, record.usage, came_in_with)
        facts.call_ended(call)
        facts.messages_of(call)
        message_mail.plan_of(call)
    return True


def _meter(
    call: Call,
    began: datetime | None,
    ended_at: datetime,
    more: Collection[UsageItem] = (),
    came_in_with: tuple[str, str] | None = None,
) -> None:
    zone = Domain.objects.values_list("time_zone", flat=True).get(pk=call.domain_uuid)
    meter_call(call, began=began, ended_at=ended_at, time_zone=zone, more=more, came_in_with=came_in_with)
    look(quota_of(), ZoneInfo(zone), timezone.now())


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
    texts, details = redacting.transcript(record)
    utterances = [
        Utterance(
            domain_id=call.domain_uuid,
            call=call,
            position=position,
            who=line.who if line.who in Speaker.values else Speaker.SECRETARY,
            text=clean.text(text),
            start_ms=clean.milliseconds(later_ms + line.start_ms),
            end_ms=clean.milliseconds(later_ms + max(line.start_ms, line.end_ms)),
            interrupted=line.interrupted,
        )
        for position, (line, text) in enumerate(
            zip(record.utterances[:MAX_UTTERANCES], texts[:MAX_UTTERANCES], strict=True), start=first
        )
    ]
    events = [
        CallEvent(
            domain_id=call.domain_uuid,
            call=call,
            at_ms=clean.milliseconds(later_ms + event.at_ms),
            kind=clean.line(event.kind, 60),
            detail=clean.json_object(detail),
        )
        for event, detail in zip(record.events[:MAX_EVENTS], details[:MAX_EVENTS], strict=True)
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
                # Its node cannot tell any more when it answered: at once, as a rule.
                began = call.answered_at or call.started_at
                _meter(call, began, max(began, call.lease_until - LEASE), used_so_far(call.used))
                facts.call_ended(call)
                facts.messages_of(call)
                message_mail.plan_of(call)
    if ended:
        log.warning("calls.node_lost", calls=ended, call_uuids=[str(call_uuid) for call_uuid in call_uuids[:20]])
    return ended
