"""Reads: callbacks, and the telephones with which people place them. Inside a tenant."""

from __future__ import annotations

from uuid import UUID

from eslbridge.models import Job
from secretary.models import Callback, CallbackState, Destination, DestinationKind, MemberDestination
from secretary.selectors.keyset import Cursor, Page, keyset_page
from secretary.selectors.own import Own, own_callbacks

OPEN = "open"
"""Instead of a state: waiting or being called."""


def callback_page(
    *,
    own: Own | None = None,
    state: str = "",
    before: Cursor | None = None,
    after: Cursor | None = None,
    size: int = 30,
) -> Page[Callback]:
    """A page of callbacks, newest first, each with its destination and secretary."""
    rows = Callback.objects.select_related("destination", "secretary").filter(own_callbacks(own))
    if state == OPEN:
        rows = rows.filter(state__in=(CallbackState.WAITING, CallbackState.RUNNING))
    elif state:
        rows = rows.filter(state=state)
    return keyset_page(rows, at="created_at", before=before, after=after, size=size)


def count_open(own: Own | None = None) -> int:
    """How many are waiting or being called."""
    return Callback.objects.filter(
        own_callbacks(own), state__in=(CallbackState.WAITING, CallbackState.RUNNING)
    ).count()  # fmt: skip


def get_callback(*, callback_uuid: UUID, own: Own | None = None) -> Callback | None:
    """One, with its attempts at hand (`history.all()`)."""
    rows = Callback.objects.select_related("destination", "secretary", "call")
    return rows.prefetch_related("history__destination").filter(own_callbacks(own), pk=callback_uuid).first()


def phones_of(user_id: int | None) -> list[Destination]:
    """The telephones on a person's own desk: extensions among the destinations where they are reached."""
    links = MemberDestination.objects.filter(
        member__user_id=user_id or 0, destination__kind=DestinationKind.EXTENSION, destination__enabled=True
    )
    return [link.destination for link in links.select_related("destination").order_by("destination__name")]


def job_page(
    *,
    state: str = "",
    kind: str = "",
    before: Cursor | None = None,
    after: Cursor | None = None,
    size: int = 50,
) -> Page[Job]:
    """A page of the domain's jobs, newest first."""
    wanted = {name: value for name, value in (("state", state), ("kind", kind)) if value}
    return keyset_page(Job.objects.filter(**wanted), at="created_at", before=before, after=after, size=size)


def get_job(*, job_uuid: UUID) -> Job | None:
    return Job.objects.filter(pk=job_uuid).first()
