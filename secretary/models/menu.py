"""What keys of the telephone do: the shape of `Secretary.menu`."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

KEYS: Final = "0123456789*#"


class KeyAction(models.TextChoices):
    TRANSFER = "transfer", _("puts the caller through")
    REPEAT = "repeat", _("says the last sentence again")
    FALLBACK = "fallback", _("passes the call on, to the fallback")
    END = "end", _("ends the call")


def validate_menu(value: object) -> None:
    """`{"0": {"do": "transfer", "destination_uuid": "…"}, "*": {"do": "repeat"}}`. Raises ValidationError."""
    if not isinstance(value, dict):
        raise ValidationError(_("A menu says for each key what it does."))
    for key, what in value.items():
        if len(key) != 1 or key not in KEYS:
            raise ValidationError(_("%(key)s is no key of a telephone."), params={"key": str(key)[:20]})
        if not isinstance(what, dict) or what.get("do") not in KeyAction.values:
            raise ValidationError(_("What key %(key)s does is not known."), params={"key": key})
        wanted = {"do", "destination_uuid"} if what["do"] == KeyAction.TRANSFER else {"do"}
        if set(what) != wanted or not _is_uuid(what.get("destination_uuid"), wanted):
            raise ValidationError(_("Key %(key)s names a destination to put callers through to."), params={"key": key})


def _is_uuid(value: object, wanted: set[str]) -> bool:
    if "destination_uuid" not in wanted:
        return True
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True
