"""Writes: opening hours and special days. Inside a tenant; each is one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from secretary.models import Destination, OpeningHours, Secretary, SpecialDay
from secretary.services.optimistic import lock_settings, lock_unchanged
from tenants import audit

MOST_HOURS = 200
MOST_DAYS = 2_000


def _store(row: Any, values: dict[str, Any]) -> Any:
    before = audit.before(row)
    for name, value in values.items():
        setattr(row, name, value)
    if isinstance(row, OpeningHours) and row.is_default:
        # The usual hours are one: whoever becomes it takes the place of the one before.
        for other in OpeningHours.objects.filter(is_default=True).exclude(pk=row.pk):
            _store(other, {"is_default": False})
    row.full_clean()
    row.save()
    audit.saved(row, before)
    return row


def _room(count: Callable[[], int], most: int) -> None:
    if count() >= most:
        raise ValidationError(_("There are %(most)d already: as many as there can be.") % {"most": most}, code="quota")


@transaction.atomic
def create_hours(**values: Any) -> OpeningHours:
    """Make opening hours. Raises ValidationError by field."""
    lock_settings()
    _room(OpeningHours.objects.count, MOST_HOURS)
    row: OpeningHours = _store(OpeningHours(), values)
    return row


@transaction.atomic
def update_hours(*, hours_uuid: UUID, seen_at: datetime | None, **values: Any) -> OpeningHours:
    """Change opening hours last seen at `seen_at`. Raises DoesNotExist, StaleRowError, ValidationError."""
    lock_settings()
    row: OpeningHours = _store(lock_unchanged(OpeningHours, hours_uuid, seen_at), values)
    return row


@transaction.atomic
def delete_hours(*, hours_uuid: UUID) -> None:
    """Remove opening hours and their special days; who had them has the usual ones. Raises DoesNotExist."""
    lock_settings()
    row = OpeningHours.objects.get(pk=hours_uuid)
    for day in row.special_days.all():
        audit.deleted(day)
    for model in (Secretary, Destination):
        for user in model.objects.filter(hours=row):
            _store(user, {"hours_id": None})
    audit.deleted(row)
    row.delete()


@transaction.atomic
def create_day(**values: Any) -> SpecialDay:
    """Make a special day. Raises ValidationError by field."""
    lock_settings()
    _room(SpecialDay.objects.count, MOST_DAYS)
    row: SpecialDay = _store(SpecialDay(), values)
    return row


@transaction.atomic
def update_day(*, day_uuid: UUID, seen_at: datetime | None, **values: Any) -> SpecialDay:
    """Change a special day last seen at `seen_at`. Raises DoesNotExist, StaleRowError, ValidationError."""
    lock_settings()
    row: SpecialDay = _store(lock_unchanged(SpecialDay, day_uuid, seen_at), values)
    return row


@transaction.atomic
def delete_day(*, day_uuid: UUID) -> None:
    """Remove a special day: its weekday counts again. Raises DoesNotExist."""
    row = SpecialDay.objects.get(pk=day_uuid)
    audit.deleted(row)
    row.delete()
