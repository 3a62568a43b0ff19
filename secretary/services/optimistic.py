"""Changing a row that a person has had open for a while: nobody's work is overwritten unseen."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar
from uuid import UUID

from tenants.models import Domain, TenantModel
from tenants.models.base import Timestamped

M = TypeVar("M", bound=TenantModel)


class StaleRowError(Exception):
    """The row was changed since the person saw it. Carries the row as it is now."""

    def __init__(self, row: Timestamped) -> None:
        super().__init__(f"{type(row).__name__} {row.pk} was changed meanwhile.")
        self.row = row


def lock_settings() -> None:
    """Let one change of the domain's settings happen at a time, until the end of the transaction.

    What must be unique across rows (a spoken name, an extension) can then be checked before it is written. Calls are
    not held up: a new call's foreign key needs a weaker lock than this one excludes.
    """
    Domain.objects.select_for_update(no_key=True).get()


def check_seen(row: Timestamped, seen_at: datetime | None) -> None:
    """For what there is once: raise StaleRowError unless `seen_at` is when it was last changed (None: never stored).

    After `lock_settings`, so that of two who have seen the same the second one is told.
    """
    if row.updated_at != seen_at:
        raise StaleRowError(row)


def lock_unchanged(model: type[M], uuid: UUID, seen_at: datetime | None) -> M:
    """The row, locked for a change.

    Raises model.DoesNotExist, and StaleRowError unless `seen_at` is when it was last changed.
    """
    row: M = model.objects.select_for_update(of=("self",)).get(pk=uuid)
    if row.updated_at != seen_at:
        raise StaleRowError(row)
    return row
