"""What an agent calls their own: what is addressed to the destinations at which they are reached. Inside a tenant.

A call is theirs when it was put through to one of them; a message when it is for one of them, or, being for nobody in
particular, was left in a call that was put through to one of them. What has no destination belongs to administrators.
Callbacks go as messages do.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import Q

from secretary.models import Destination, MemberDestination

Own = Collection[UUID]
"""Destinations. None in its place stands for everything of the domain."""


def own_destinations(*, member_uuid: UUID) -> frozenset[UUID]:
    """Where a member is reached."""
    return frozenset(MemberDestination.objects.filter(member_id=member_uuid).values_list("destination_id", flat=True))


def destinations_by_member() -> dict[UUID, list[Destination]]:
    """Everybody's destinations, by name."""
    found: dict[UUID, list[Destination]] = {}
    for link in MemberDestination.objects.select_related("destination").order_by("destination__name"):
        found.setdefault(link.member_id, []).append(link.destination)
    return found


def own_calls(own: Own | None) -> Q:
    """Restricts calls."""
    return Q() if own is None else Q(destination_id__in=own)


def own_messages(own: Own | None) -> Q:
    """Restricts messages."""
    if own is None:
        return Q()
    return Q(destination_id__in=own) | Q(destination_id__isnull=True, call__destination_id__in=own)


def own_callbacks(own: Own | None) -> Q:
    """Restricts callbacks."""
    return own_messages(own)
