"""Reads of the record of changes: by person, object, kind and time."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from django.db.models import Q, QuerySet

from tenants.models.audit import EventFields

E = TypeVar("E", bound=EventFields)


def search(
    rows: QuerySet[E],
    *,
    who: str = "",
    what: str = "",
    kind: str = "",
    begins: datetime | None = None,
    ends: datetime | None = None,
) -> QuerySet[E]:
    """Lines of the record. `who`: part of the actor's name, or an address; `what`: of the object's, or its id."""
    if who:
        rows = rows.filter(Q(actor_label__icontains=who) | Q(actor_id=who) | Q(address__startswith=who))
    if what:
        rows = rows.filter(Q(object_label__icontains=what) | Q(object_id=what) | Q(action__icontains=what))
    if kind:
        rows = rows.filter(object_kind=kind)
    if begins is not None:
        rows = rows.filter(at__gte=begins)
    if ends is not None:
        rows = rows.filter(at__lt=ends)
    return rows
