"""The record of changes: who changed what, from where, old and new value. One line for every write.

    before = audit.before(secretary)      # None for a row that is not stored yet
    ...; secretary.save()
    audit.saved(secretary, before)        # `secretary.created`, or `secretary.changed` with what differs

    audit.deleted(secretary)
    audit.log("session.ended", Subject("session", uuid, browser))

A line is written in the transaction of the change itself, so that neither is there without the other. Inside a tenant
it belongs to the tenant; in `platform_context` to the installation, unless a domain is named. Actor and address come
from `tenants.origin`. Secrets are masked before anything is stored, and so is what a caller may want erased.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db import models

from tenants.context import current_scope, platform_context, tenant_context
from tenants.fields import EncryptedTextField
from tenants.models.audit import AuditEvent, InstallationEvent
from tenants.origin import current_actor, current_origin

MASK: Final = "•••"
SECRET_NAMES: Final = re.compile(
    r"(?:^|[_\-.])(?:passwords?|secrets?|tokens?|hash|pin|authorization)(?:$|[_\-.])", re.IGNORECASE
)
"""Fields and keys with one of these words in their names are masked, whatever type they have."""
UNTOLD: Final = frozenset({"created_at", "updated_at", "domain", "last_used_at", "last_used_ip", "last_login"})
LONGEST_VALUE: Final = 4_000
"""Characters of one value that are kept."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What was changed."""

    kind: str
    ident: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Masked:
    """A secret: it can be compared, not shown."""

    value: Any

    def __repr__(self) -> str:
        return MASK


Values = Mapping[str, Any]
_waiting: ContextVar[list[AuditEvent | InstallationEvent] | None] = ContextVar("tenants_audit_batch", default=None)


def subject_of(row: models.Model, label: str = "") -> Subject:
    """A row by its model's name, key and text; without its text where that is a caller's."""
    return Subject(str(row._meta.model_name), str(row.pk), label or ("" if _hidden(row) else str(row)))


def _hidden(row: models.Model) -> frozenset[str]:
    """The fields of a model that hold a caller's data, by its `audit_hides`: the record outlives their erasure."""
    found: frozenset[str] = getattr(type(row), "audit_hides", frozenset())
    return found


def values_of(row: models.Model) -> dict[str, Any]:
    """A row's values by field, without keys and times; secrets and callers' data as `Masked`."""
    values: dict[str, Any] = {}
    hidden = _hidden(row)
    for field in row._meta.concrete_fields:
        if field.primary_key or field.name in UNTOLD:
            continue
        value = getattr(row, field.attname)
        if isinstance(value, (list, dict)):
            value = type(value)(value)
        secret = isinstance(field, EncryptedTextField) or field.name in hidden or _is_secret(field.name)
        values[field.name] = Masked(value) if secret else value
    return values


def before(row: models.Model) -> dict[str, Any] | None:
    """What `saved` compares with: the values as they are now, or None for a row that is not stored yet."""
    return None if row._state.adding else values_of(row)


def saved(row: models.Model, old: Values | None, *, label: str = "", domain_uuid: UUID | None = None) -> None:
    """A row was stored. Nothing is written where nothing differs. `label`: its name, where its own text is none."""
    subject, new = subject_of(row, label), values_of(row)
    if old is None:
        log(f"{subject.kind}.created", subject, new=new, domain_uuid=domain_uuid)
        return
    changed = [name for name, value in new.items() if old.get(name) != value]
    if changed:
        log(
            f"{subject.kind}.changed",
            subject,
            old={name: old.get(name) for name in changed},
            new={name: new[name] for name in changed},
            domain_uuid=domain_uuid,
        )


def deleted(row: models.Model, *, label: str = "") -> None:
    """A row is about to be deleted (its key is still known)."""
    subject = subject_of(row, label)
    log(f"{subject.kind}.deleted", subject, old=values_of(row))


def log(
    action: str,
    subject: Subject,
    *,
    old: Values | None = None,
    new: Values | None = None,
    domain_uuid: UUID | None = None,
) -> None:
    """Write one line. `domain_uuid` names a domain in `platform_context`, or outside of every context."""
    scope = current_scope()
    if scope is not None and scope.domain_uuid is not None:
        _keep(_event(AuditEvent, action, subject, old, new, domain_id=domain_uuid or scope.domain_uuid))
    elif scope is not None:
        _write(action, subject, old, new, domain_uuid)
    else:
        with tenant_context(domain_uuid) if domain_uuid is not None else platform_context():
            _write(action, subject, old, new, domain_uuid)


def _write(action: str, subject: Subject, old: Values | None, new: Values | None, domain_uuid: UUID | None) -> None:
    if domain_uuid is not None:
        _keep(_event(AuditEvent, action, subject, old, new, domain_id=domain_uuid))
    else:
        _keep(_event(InstallationEvent, action, subject, old, new))


@contextmanager
def batch() -> Iterator[None]:
    """Collect the lines of a block and write them with one statement: for provisioning many at once.

    Inside one context, whose transaction also holds the changes; nothing is written where the block raises.
    """
    events: list[AuditEvent | InstallationEvent] = []
    token = _waiting.set(events)
    try:
        yield
    finally:
        _waiting.reset(token)
    AuditEvent.objects.bulk_create([event for event in events if isinstance(event, AuditEvent)], batch_size=500)
    installation = [event for event in events if isinstance(event, InstallationEvent)]
    if installation:
        InstallationEvent.objects.bulk_create(installation, batch_size=500)


def _event(
    model: type[Any], action: str, subject: Subject, old: Values | None, new: Values | None, **more: Any
) -> AuditEvent | InstallationEvent:
    actor, origin = current_actor(), current_origin()
    event: AuditEvent | InstallationEvent = model(
        actor_kind=actor.kind[:24],
        actor_id=actor.ident[:64],
        actor_label=_line(actor.label),
        action=action[:64],
        object_kind=subject.kind[:40],
        object_id=subject.ident[:64],
        object_label=_line(subject.label),
        old=plain(old),
        new=plain(new),
        address=origin.address,
        request_id=origin.request_id[:64],
        **more,
    )
    return event


def _keep(event: AuditEvent | InstallationEvent) -> None:
    waiting = _waiting.get()
    if waiting is None:
        event.save(force_insert=True)
    else:
        waiting.append(event)


def _is_secret(name: str) -> bool:
    return SECRET_NAMES.search(name) is not None


def _line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:200]


def plain(value: Any, name: str = "") -> Any:
    """A value for JSON, secrets masked at every depth, long texts cut."""
    if isinstance(value, Masked) or (name and _is_secret(name)):
        inside = value.value if isinstance(value, Masked) else value
        return MASK if inside not in (None, "", [], {}) else inside
    if isinstance(value, Mapping):
        return {str(key): plain(part, str(key)) for key, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(part) for part in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (UUID, Decimal, timedelta)):
        return str(value)
    if isinstance(value, models.Model):
        return str(value.pk)
    return str(value).replace("\0", "")[:LONGEST_VALUE]
