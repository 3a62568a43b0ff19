"""Reads: the messages that callers left. Inside a tenant."""

from __future__ import annotations

from uuid import UUID

from secretary.models import Message
from secretary.selectors.keyset import Cursor, Page, keyset_page
from secretary.selectors.own import Own, own_messages


def message_page(
    *,
    own: Own | None = None,
    unread_only: bool = False,
    before: Cursor | None = None,
    after: Cursor | None = None,
    size: int = 30,
) -> Page[Message]:
    """A page of messages, newest first, each with its secretary."""
    rows = Message.objects.select_related("secretary", "destination").filter(own_messages(own))
    if unread_only:
        rows = rows.filter(read_at__isnull=True)
    return keyset_page(rows, at="created_at", before=before, after=after, size=size)


def count_unread(own: Own | None = None) -> int:
    """How many messages nobody has marked as read."""
    return Message.objects.filter(own_messages(own), read_at__isnull=True).count()


def get_message(*, message_uuid: UUID, own: Own | None = None) -> Message | None:
    return Message.objects.filter(own_messages(own), pk=message_uuid).first()
