"""Writes: messages as people work through them. Inside a tenant."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from secretary.models import Message


def mark_message(*, message_uuid: UUID, read: bool) -> bool:
    """Mark a message as read or unread; the first reading's time stays. False where the tenant has no such message."""
    rows = Message.objects.filter(pk=message_uuid)
    if read:
        rows.filter(read_at__isnull=True).update(read_at=timezone.now(), updated_at=timezone.now())
    else:
        rows.update(read_at=None, updated_at=timezone.now())
    return rows.exists()
