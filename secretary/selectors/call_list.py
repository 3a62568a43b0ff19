"""Reads: the calls of a domain as a list, and today's in figures. Inside a tenant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from secretary.models import Call
from secretary.selectors.keyset import Cursor, Page, keyset_page
from secretary.selectors.own import Own, own_calls


def _calls(own: Own | None) -> QuerySet[Call]:
    return Call.objects.select_related("secretary", "destination").filter(own_calls(own))


def call_page(
    *,
    own: Own | None = None,
    outcome: str = "",
    search: str = "",
    before: Cursor | None = None,
    after: Cursor | None = None,
    size: int = 50,
) -> Page[Call]:
    """A page of calls, newest first. `search` is a part of the caller's number (punctuation aside) or name."""
    rows = _calls(own)
    if outcome:
        rows = rows.filter(outcome=outcome)
    if search:
        wanted = Q(caller_name__icontains=search) | Q(caller_number__icontains=search)
        digits = "".join(letter for letter in search if letter.isdigit())
        if digits and not any(letter.isalpha() for letter in search):
            wanted |= Q(caller_number__contains=digits)
        rows = rows.filter(wanted)
    return keyset_page(rows, at="started_at", before=before, after=after, size=size)


def latest_calls(*, count: int, own: Own | None = None) -> list[Call]:
    """The newest calls."""
    return list(_calls(own).order_by("-started_at", "-pk")[:count])


@dataclass(frozen=True, slots=True)
class Figures:
    """Calls of a time, counted."""

    total: int
    transferred: int
    messages: int
    live: int


def figures_since(moment: datetime, own: Own | None = None) -> Figures:
    """The calls that began at or after a moment."""
    return Figures(
        **Call.objects.filter(own_calls(own), started_at__gte=moment).aggregate(
            total=Count("pk"),
            transferred=Count("pk", filter=Q(outcome="transferred")),
            messages=Count("pk", filter=Q(outcome="message")),
            live=Count("pk", filter=Q(outcome="in_progress")),
        )
    )
