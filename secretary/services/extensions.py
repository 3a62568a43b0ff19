"""Writes: which secretary answers at which extension. Inside a tenant; each is one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from secretary.models import ExtensionMapping
from secretary.services.optimistic import lock_settings, lock_unchanged
from secretary.services.room import check_room
from tenants import audit


def _store(mapping: ExtensionMapping, values: dict[str, Any]) -> ExtensionMapping:
    before = audit.before(mapping)
    for name, value in values.items():
        setattr(mapping, name, value)
    others = ExtensionMapping.objects.select_related("secretary").exclude(pk=mapping.pk)
    holder = others.filter(extension=mapping.extension).first()
    if holder is not None:
        text = _("%(extension)s already leads to “%(name)s”. Choose another number, or change that extension.")
        names = {"extension": mapping.extension, "name": holder.secretary.name}
        raise ValidationError({"extension": text % names})
    mapping.full_clean()
    mapping.save()
    audit.saved(mapping, before)
    return mapping


@transaction.atomic
def create_mapping(**values: Any) -> ExtensionMapping:
    """Lead an extension to a secretary. Raises ValidationError by field, or `quota` where there are enough."""
    lock_settings()
    check_room(extensions=1)
    return _store(ExtensionMapping(), values)


@transaction.atomic
def update_mapping(*, mapping_uuid: UUID, seen_at: datetime | None, **values: Any) -> ExtensionMapping:
    """Change an extension that was last seen at `seen_at`. Raises DoesNotExist, StaleRowError, ValidationError."""
    lock_settings()
    return _store(lock_unchanged(ExtensionMapping, mapping_uuid, seen_at), values)


@transaction.atomic
def delete_mapping(*, mapping_uuid: UUID) -> None:
    """Free an extension. Raises DoesNotExist."""
    mapping = ExtensionMapping.objects.get(pk=mapping_uuid)
    audit.deleted(mapping)
    mapping.delete()
