"""What is told about callbacks. Inside the fact's context, in the transaction of the fact."""

from __future__ import annotations

from datetime import UTC, datetime

from secretary.models import Callback, CallbackState
from secretary.webhooks.outbox import emit


def callback_requested(callback: Callback) -> None:
    emit(callback.domain_uuid, "callback.requested", callback_payload(callback), fact=str(callback.pk))


def callback_due(callback: Callback) -> None:
    """Told once an attempt."""
    payload = {**callback_payload(callback), "job_uuid": str(callback.job_uuid)}
    emit(callback.domain_uuid, "callback.due", payload, fact=str(callback.job_uuid))


def callback_ended(callback: Callback) -> None:
    """Done, or over without that: failed, expired, cancelled. Told again for one that was taken up again since."""
    kinds = {CallbackState.DONE: "callback.done", CallbackState.CANCELLED: "callback.cancelled"}
    kind = kinds.get(CallbackState(callback.state), "callback.failed")
    payload = {
        **callback_payload(callback),
        "state": callback.state,
        "outcome": callback.outcome,
        "outcome_detail": callback.outcome_detail,
        "finished_at": _time(callback.finished_at),
    }
    emit(callback.domain_uuid, kind, payload, fact=f"{callback.pk} {callback.state} {callback.attempts}")


def callback_payload(callback: Callback) -> dict[str, object]:
    """What every event about a callback says."""
    return {
        "callback_uuid": str(callback.pk),
        "call_uuid": _text(callback.call_id),
        "secretary_uuid": _text(callback.secretary_id),
        "destination_uuid": _text(callback.destination_id),
        "number": callback.number,
        "name": callback.name,
        "reason": callback.reason,
        "not_before": _time(callback.not_before),
        "not_after": _time(callback.not_after),
        "attempts": callback.attempts,
        "max_attempts": callback.max_attempts,
        "created_at": _time(callback.created_at),
    }


def _text(value: object) -> str | None:
    return str(value) if value is not None else None


def _time(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat() if value is not None else None
