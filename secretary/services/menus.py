"""What keys do: destinations named by a menu must be there."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from secretary.models import Destination
from secretary.models.menu import KeyAction


def check_menu(menu: Mapping[str, Mapping[str, str]]) -> None:
    """Inside a tenant. Raises ValidationError for a destination that is not the domain's. `menu` is valid in itself."""
    named = {what["destination_uuid"] for what in menu.values() if what.get("do") == KeyAction.TRANSFER}
    if named and Destination.objects.filter(pk__in=named).count() < len(named):
        raise ValidationError({"menu": _("A key leads to a destination that is not there.")})
