"""Writes: messages, as callers leave them."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from eslbridge.models import Job, JobKind
from secretary.models import Call, CallOutcome, Destination, Message
from secretary.profiles import MessageRecord
from secretary.redaction import redact
from secretary.selectors.data_rules import redaction_of
from secretary.services import clean, message_mail
from secretary.tools.remains import facts_of
from secretary.webhooks import facts
from tenants.context import tenant_context

GIVEN: Final = {"name": "given_name", "number": "given_number", "reason": "reason", "urgency": "urgency"}
"""What a caller told of themselves: its name in a record, and the message's field."""


def _wanted(call: Call) -> UUID | None:
    """Whom the caller wanted: the destination that the secretary tried last in this call, if it is still there."""
    job = Job.objects.filter(call_uuid=call.pk, kind=JobKind.TRANSFER).order_by("-created_at").first()
    named = str(job.arguments.get("destination_uuid", "")) if job is not None else ""
    try:
        wanted = UUID(named)
    except ValueError:
        return None
    return wanted if Destination.objects.filter(pk=wanted).exists() else None


def save_message(*, domain_uuid: UUID, call_uuid: UUID, record: MessageRecord) -> Message:
    """Write a message as far as it has come. Called again with the same UUID, it grows: nothing begun is lost.

    Caller and secretary are those of the call; it is for whom the caller last wanted.
    Raises Call.DoesNotExist.
    """
    with tenant_context(domain_uuid):
        call = Call.objects.get(call_uuid=call_uuid)
        kinds = redaction_of()
        text = redact(clean.text(record.text), kinds)
        given = facts_of(record.given, kinds)
        # What was not given again stays as it was.
        told = {field: given[name] for name, field in GIVEN.items() if name in given}
        message, _ = Message.objects.update_or_create(
            message_uuid=record.message_uuid,
            defaults={
                "text": text,
                "audio": clean.line(record.audio, 300),
                "complete": record.complete,
                **told,
            },
            create_defaults={
                "domain_id": domain_uuid,
                "call": call,
                "secretary_id": call.secretary_id,
                "destination_id": _wanted(call),
                "caller_number": call.caller_number,
                "caller_name": call.caller_name,
                "text": text,
                "audio": clean.line(record.audio, 300),
                "complete": record.complete,
                **told,
            },
        )
        if message.complete or call.outcome != CallOutcome.IN_PROGRESS:
            facts.message_created(message)
            message_mail.plan(message)
    return message
