"""Reads: one call with all that was said and all that happened. Inside a tenant."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from secretary.models import Call, CallEvent, Message, UsageRecord, Utterance
from secretary.selectors.own import Own, own_calls, own_messages

MOST_LINES = 2000
"""Bound on what one page shows of a call's transcript and of its timeline, each."""


@dataclass(frozen=True, slots=True)
class WholeCall:
    """A call, its transcript and timeline in order, and the message left in it, if any."""

    call: Call
    utterances: list[Utterance]
    events: list[CallEvent]
    message: Message | None
    usage: list[UsageRecord]
    """What it used, and what that cost."""


def get_call(*, call_uuid: UUID, own: Own | None = None) -> Call | None:
    return Call.objects.filter(own_calls(own), pk=call_uuid).first()


def whole_call(*, call_uuid: UUID, own: Own | None = None) -> WholeCall | None:
    """The call, or None where the tenant has none of that UUID. Five queries, however long it was."""
    call = Call.objects.select_related("secretary", "destination").filter(own_calls(own), pk=call_uuid).first()
    if call is None:
        return None
    return WholeCall(
        call,
        list(Utterance.objects.filter(call=call).order_by("position")[:MOST_LINES]),
        list(CallEvent.objects.filter(call=call).order_by("at_ms", "created_at")[:MOST_LINES]),
        Message.objects.filter(own_messages(own), call=call).order_by("created_at").first(),
        usage_of(call_uuid=call.pk),
    )


def usage_of(*, call_uuid: UUID) -> list[UsageRecord]:
    """What a call that is over used, by speech service, model and unit."""
    return list(UsageRecord.objects.filter(call_id=call_uuid).order_by("provider", "model", "unit"))
