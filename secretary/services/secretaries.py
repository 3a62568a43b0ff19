"""Writes: secretaries. Inside a tenant; each is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from eslbridge import dialling
from eslbridge.policy import DestinationKind, Dial, decide
from secretary.dial_reasons import DIAL_REASONS
from secretary.models import Secretary
from secretary.services.menus import check_menu
from secretary.services.optimistic import lock_settings, lock_unchanged
from secretary.services.providers import settle_chain
from secretary.services.room import check_room
from secretary.tools import history
from secretary.tools.choice import check_tool_names
from tenants import audit


def _store(secretary: Secretary, values: dict[str, Any]) -> Secretary:
    before = audit.before(secretary)
    settle_chain(secretary, values)
    for name, value in values.items():
        if name != "chain" and (name != "provider" or not secretary.chain):
            setattr(secretary, name, value)
    if "tools" in values:
        check_tool_names(values["tools"])
    secretary.full_clean()
    _check_numbers(secretary, values)
    if "menu" in values:
        check_menu(secretary.menu)
    secretary.save()
    audit.saved(secretary, before)
    history.keep(secretary, None if before is None else before["prompt"])
    return secretary


def _check_numbers(secretary: Secretary, values: dict[str, Any]) -> None:
    """Where callers are sent without a word is judged like everything else that is dialled; and a list says nothing
    that does not hold."""
    for name in ("fallback_number", "closed_number"):
        number = values.get(name)
        if number:
            _kind, decision = dialling.kind_of(domain_uuid=secretary.domain_uuid, number=number)
            if not decision.allowed:
                text = _("This number would not be dialled: %(reason)s.")
                reason = DIAL_REASONS.get(decision.reason, decision.reason)
                raise ValidationError({name: ValidationError(text % {"reason": reason}, code=decision.reason)})
    if values.get("allow_list"):
        _check_list(values["allow_list"])


def _check_list(numbers: Sequence[str]) -> None:
    rules = dialling.rules_of()
    for number in numbers:
        if number.endswith("*"):
            continue  # what begins so is judged when it is dialled
        decision = decide(Dial(number, DestinationKind.EXTERNAL, listed=True, rules=rules))
        if not decision.allowed:
            text = _("%(number)s would not be dialled: %(reason)s.")
            said = {"number": number, "reason": DIAL_REASONS.get(decision.reason, decision.reason)}
            raise ValidationError({"allow_list": ValidationError(text % said, code=decision.reason)})


@transaction.atomic
def create_secretary(**values: Any) -> Secretary:
    """Make a secretary. Raises ValidationError by field, or `quota` where the domain has as many as it may."""
    lock_settings()
    check_room(secretaries=1)
    return _store(Secretary(), values)


@transaction.atomic
def update_secretary(*, secretary_uuid: UUID, seen_at: datetime | None, **values: Any) -> Secretary:
    """Change a secretary that was last seen at `seen_at`. Raises DoesNotExist, StaleRowError, ValidationError."""
    return _store(lock_unchanged(Secretary, secretary_uuid, seen_at), values)


@transaction.atomic
def delete_secretary(*, secretary_uuid: UUID) -> None:
    """Remove a secretary and its extensions. Its calls and messages stay. Raises DoesNotExist."""
    secretary = Secretary.objects.get(pk=secretary_uuid)
    for mapping in secretary.extensions.all():
        audit.deleted(mapping)
    audit.deleted(secretary)
    secretary.delete()
