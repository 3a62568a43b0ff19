"""Writes: messages as people work through them. Inside a tenant."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from secretary.models import Message
from tenants import audit


@transaction.atomic
def mark_message(*, message_uuid: UUID, read: bool) -> bool:
    """Mark a message as read or unread; the first reading's time stays. False where the tenant has no such message."""
    message = Message.objects.select_for_update(of=("self",)).filter(pk=message_uuid).first()
    if message is None:
        return False
    if message.is_read != read:
        message.read_at = timezone.now() if read else None
        message.save(update_fields=["read_at", "updated_at"])
        caller = message.caller_name or message.caller_number
        audit.log(f"message.{'read' if read else 'unread'}", audit.subject_of(message, caller))
    return True
