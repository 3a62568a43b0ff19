"""What is told about each kind of fact, and the one line that a service needs to tell it. Inside the fact's context."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

from eslbridge.models import Job, JobKind, JobState
from secretary.models import Call, Message
from secretary.webhooks.outbox import emit


def call_started(call: Call) -> None:
    """Told once, also for a call that a second node takes over."""
    emit(call.domain_uuid, "call.started", call_payload(call), fact=str(call.pk), occurred_at=call.started_at)


def call_ended(call: Call) -> None:
    """Told again, as another event, for a call that was given up and turned out to be alive."""
    payload = {
        **call_payload(call),
        "answered_at": _time(call.answered_at),
        "ended_at": _time(call.ended_at),
        "duration_s": call.duration_s,
        "outcome": call.outcome,
        "outcome_detail": call.outcome_detail,
        "destination_uuid": _uuid(call.destination_id),
        "has_recording": bool(call.recording),
        "summary": call.summary,
        "facts": call.facts,
        "disclosure": call.disclosure,
    }
    fact = f"{call.pk} {call.outcome} {_time(call.ended_at)}"
    emit(call.domain_uuid, "call.ended", payload, fact=fact, occurred_at=call.ended_at)


def call_payload(call: Call) -> dict[str, object]:
    """What every event about a call says."""
    return {
        "call_uuid": str(call.pk),
        "secretary_uuid": _uuid(call.secretary_id),
        "extension": call.extension,
        "caller_number": call.caller_number,
        "caller_name": call.caller_name,
        "started_at": _time(call.started_at),
    }


def message_created(message: Message) -> None:
    """Told once, when the message is complete or its call is over: until then its text still grows."""
    payload = {
        "message_uuid": str(message.pk),
        "call_uuid": _uuid(message.call_id),
        "secretary_uuid": _uuid(message.secretary_id),
        "caller_number": message.caller_number,
        "caller_name": message.caller_name,
        "given_name": message.given_name,
        "given_number": message.given_number,
        "reason": message.reason,
        "urgency": message.urgency,
        "text": message.text,
        "complete": message.complete,
        "has_audio": bool(message.audio),
        "created_at": _time(message.created_at),
    }
    emit(message.domain_uuid, "message.created", payload, fact=str(message.pk))


def messages_of(call: Call) -> None:
    """The messages of a call that is over, however far they came."""
    for message in Message.objects.filter(call=call):
        message_created(message)


def transfer_requested(job: Job) -> None:
    emit(job.domain_uuid, "transfer.requested", transfer_payload(job), fact=str(job.pk))


def jobs_ended(*, domain_uuid: UUID, job_uuids: Collection[UUID]) -> None:
    """Setting ESLBRIDGE_JOBS_ENDED: called by eslbridge in the transaction in which jobs of a domain end."""
    for job in Job.objects.filter(pk__in=job_uuids, domain_id=domain_uuid, kind=JobKind.TRANSFER):
        done = job.state == JobState.DONE
        transfer_ended(job, outcome="ok" if done else job.outcome or job.state, reason=job.reason)


def transfer_ended(job: Job, *, outcome: str, reason: str) -> None:
    """How putting a caller through went: `ok`, or one word for why the caller is with the secretary again."""
    payload = {**transfer_payload(job), "outcome": str(outcome), "reason": reason}
    emit(job.domain_uuid, "transfer.done" if outcome == "ok" else "transfer.failed", payload, fact=str(job.pk))


def transfer_payload(job: Job) -> dict[str, object]:
    """What every event about a transfer says."""
    return {
        "job_uuid": str(job.pk),
        "call_uuid": _uuid(job.call_uuid),
        "secretary_uuid": _uuid(job.secretary_uuid),
        "destination_uuid": job.argument("destination_uuid") or None,
        "number": job.argument("number"),
        "kind": job.argument("kind"),
    }


def _uuid(value: object) -> str | None:
    return str(value) if value is not None else None


def _time(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat() if value is not None else None
