"""Writes: destinations. Inside a tenant; each is one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from eslbridge import dialling
from secretary.dial_reasons import DIAL_REASONS
from secretary.models import Destination
from secretary.services.optimistic import lock_settings, lock_unchanged
from secretary.services.spoken_names import check_spoken_names
from tenants import audit


def _store(destination: Destination, values: dict[str, Any]) -> Destination:
    before = audit.before(destination)
    for name, value in values.items():
        setattr(destination, name, value)
    # Before the constraint, which stays the last wall: these words tell which destination is in the way.
    check_spoken_names(destination)
    destination.full_clean()
    _check_dialled(destination)
    destination.save()
    audit.saved(destination, before)
    return destination


def _check_dialled(destination: Destination) -> None:
    """Whoever stores a number that the domain's rules never let be dialled is told so now, not their callers later."""
    decision = dialling.weigh(
        domain_uuid=destination.domain_uuid, number=destination.number, kind=destination.kind, listed=True
    )
    if not decision.allowed:
        text = _("This number would not be dialled: %(reason)s.")
        reason = DIAL_REASONS.get(decision.reason, decision.reason)
        raise ValidationError({"number": ValidationError(text % {"reason": reason}, code=decision.reason)})


@transaction.atomic
def create_destination(**values: Any) -> Destination:
    """Make a destination. Raises ValidationError by field."""
    lock_settings()
    return _store(Destination(), values)


@transaction.atomic
def update_destination(*, destination_uuid: UUID, seen_at: datetime | None, **values: Any) -> Destination:
    """Change a destination that was last seen at `seen_at`. Raises DoesNotExist, StaleRowError, ValidationError."""
    lock_settings()
    return _store(lock_unchanged(Destination, destination_uuid, seen_at), values)


@transaction.atomic
def delete_destination(*, destination_uuid: UUID) -> None:
    """Remove a destination. Calls that were put through to it stay. Raises DoesNotExist."""
    destination = Destination.objects.get(pk=destination_uuid)
    audit.deleted(destination)
    destination.delete()
