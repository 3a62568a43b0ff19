"""The database work of a call, at its edges: admitted once, written once. Sync; run in a thread by `tenants`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from django.conf import settings

from secretary.conversation.session import Record
from secretary.profiles import CallRecord, EventRecord, SecretaryProfile, UsageItem, UtteranceRecord
from secretary.selectors.calls import resolve_secretary
from secretary.selectors.speech_chain import Speech, speech_of
from secretary.services import after_hours, allowance, calls
from secretary.speech.metered import Metered
from secretary.tools.beginning import Beginning, beginning_of
from secretary.voicenode.arrival import Arrival
from secretary.voicenode.coming_back import Back, back_of
from tenants.errors import InvalidTenantError
from tenants.models import Domain


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who answers, and for how many seconds the domain's quotas carry the call as yet; None: without end."""

    profile: SecretaryProfile
    allowed_s: float | None
    closed: Mapping[str, object] = field(default_factory=dict)
    """Out of hours: what the timeline says about it."""
    beginning: Beginning = field(default_factory=Beginning)
    """What is remembered of the caller."""
    speech: Speech = field(default_factory=Speech)
    """Who speaks, with keys and prices."""
    used: tuple[UsageItem, ...] = ()
    """What the call used on a node that is gone."""
    back: Back | None = None
    """Where the caller has been meanwhile."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the caller told of themselves earlier in the call."""


def admit(arrival: Arrival) -> Admitted:
    """Find who answers, by the hours, and take a call slot and time of the tenant's quotas. Raises CallRefused."""
    called = resolve_secretary(
        domain_uuid=arrival.domain_uuid,
        secretary_uuid=arrival.secretary_uuid or None,
        extension=arrival.extension,
        told_open=arrival.told_open,
    )
    taken = after_hours.settle(called, UUID(arrival.call_uuid))
    speech = speech_of(taken.profile)
    profile = replace(taken.profile, provider=speech.steps[0].provider)
    back = back_of(arrival, profile) if arrival.visits else None
    opened = calls.open_call(
        profile=profile,
        call_uuid=UUID(arrival.call_uuid),
        node=settings.VOICENODE_NAME,
        caller_number=arrival.caller_number,
        caller_name=arrival.caller_name,
        toll_allow=arrival.toll_allow,
        model=speech.steps[0].model,
    )
    beginning = beginning_of(profile, arrival.caller_number, told_before=opened.facts)
    return Admitted(profile, opened.allowed_s, taken.note, beginning, speech, opened.used, back, opened.facts)


def renew(
    *,
    node: str,
    call_uuids: list[UUID],
    used: Mapping[UUID, tuple[tuple[UsageItem, ...], Decimal]] | None = None,
    facts: Mapping[UUID, tuple[UUID, Mapping[str, str]]] | None = None,
) -> dict[UUID, float | None]:
    """The node's sign of life for its calls, what they have used so far, and what their callers have told anew.

    `facts`: by call, the domain and what was told. Returns how long calls under a quota may last: see
    `allowance.renew`.
    """
    calls.renew_leases(node=node, call_uuids=call_uuids)
    calls.note_usage(node=node, used=used or {})
    for call_uuid, (domain_uuid, given) in (facts or {}).items():
        calls.note_facts(domain_uuid=domain_uuid, call_uuid=call_uuid, node=node, given=given)
    return allowance.renew(node=node, call_uuids=call_uuids)


def note_refusal(arrival: Arrival, reason: str) -> None:
    """Keep a refused call in its tenant's list, where there is such a tenant."""
    try:
        domain_uuid = UUID(arrival.domain_uuid)
        calls.refuse_call(
            domain_uuid=domain_uuid,
            call_uuid=UUID(arrival.call_uuid),
            reason=reason,
            node=settings.VOICENODE_NAME,
            extension=arrival.extension,
            caller_number=arrival.caller_number,
            caller_name=arrival.caller_name,
        )
    except (ValueError, InvalidTenantError, Domain.DoesNotExist):
        return  # nobody's call


def write(profile: SecretaryProfile, call_uuid: UUID, record: CallRecord) -> bool:
    """Write everything that remains of a call in one transaction, and free its slot."""
    return calls.finish_call(
        domain_uuid=profile.domain_uuid, call_uuid=call_uuid, node=settings.VOICENODE_NAME, record=record
    )


def record_of(
    profile: SecretaryProfile,
    record: Record,
    *,
    answered_at: datetime | None,
    ended_at: datetime | None = None,
    recording: Path | None,
    facts: Mapping[str, str] | None = None,
    summary: str = "",
) -> CallRecord:
    """A conversation's end as it is kept."""
    return CallRecord(
        outcome=record.outcome,
        outcome_detail=record.detail,
        answered_at=answered_at,
        ended_at=ended_at,
        destination_uuid=_uuid(record.destination_uuid),
        recording=below_data_dir(recording) if recording is not None and recording.exists() else "",
        latency_ms=record.latency,
        utterances=tuple(
            UtteranceRecord(line.who, line.text, line.start_ms, line.end_ms, line.interrupted) for line in record.lines
        ),
        usage=usage_of(record.metered),
        provider=record.metered.longest[0] if record.metered is not None else "",
        model=record.metered.longest[1] if record.metered is not None else "",
        events=tuple(EventRecord(note.at_ms, note.kind, note.detail) for note in record.notes),
        language=profile.language,
        facts=facts or {},
        summary=summary,
        disclosure=disclosed(record),
        prompt_version=profile.prompt_version,
    )


def usage_of(metered: Metered | None) -> tuple[UsageItem, ...]:
    """What a call has used so far, by provider and model."""
    if metered is None:
        return ()
    return tuple(UsageItem(one.provider, one.unit, one.quantity, one.model) for one in metered.used())


def disclosed(record: Record) -> str:
    """What the caller was told before anything else, as it was heard; empty where nothing had to be said."""
    note = next((note for note in record.notes if note.kind == "disclosed"), None)
    return str(note.detail.get("text", "")) if note is not None else ""


def below_data_dir(path: Path) -> str:
    """A file's path as it is stored: relative to DATA_DIR, which may be mounted elsewhere in another process."""
    return str(path.relative_to(settings.DATA_DIR))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
