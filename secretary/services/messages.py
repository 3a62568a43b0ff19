"""Writes: messages, as callers leave them."""

from __future__ import annotations

from uuid import UUID

from secretary.models import Call, CallOutcome, Message
from secretary.profiles import MessageRecord
from secretary.services import clean
from secretary.webhooks import facts
from tenants.context import tenant_context


def save_message(*, domain_uuid: UUID, call_uuid: UUID, record: MessageRecord) -> Message:
    """Write a message as far as it has come. Called again with the same UUID, it grows: nothing begun is lost.

    Caller and secretary are those of the call. Raises Call.DoesNotExist.
    """
    with tenant_context(domain_uuid):
        call = Call.objects.get(call_uuid=call_uuid)
        message, _ = Message.objects.update_or_create(
            message_uuid=record.message_uuid,
            defaults={
                "text": clean.text(record.text),
                "audio": clean.line(record.audio, 300),
                "complete": record.complete,
            },
            create_defaults={
                "domain_id": domain_uuid,
                "call": call,
                "secretary_id": call.secretary_id,
                "caller_number": call.caller_number,
                "caller_name": call.caller_name,
                "text": clean.text(record.text),
                "audio": clean.line(record.audio, 300),
                "complete": record.complete,
            },
        )
        if message.complete or call.outcome != CallOutcome.IN_PROGRESS:
            facts.message_created(message)
    return message
