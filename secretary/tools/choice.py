"""Which tools a secretary has: names of the platform's and of the domain's own."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from secretary.tools.models import HttpTool
from secretary.tools.names import BUILT_IN


def check_tool_names(chosen: Sequence[str]) -> None:
    """Whether there are tools of all these names. Inside the tenant. Raises ValidationError."""
    own = [name for name in chosen if name not in BUILT_IN]
    if not own:
        return
    there = set(HttpTool.objects.filter(name__in=own).values_list("name", flat=True))
    if missing := sorted(set(own) - there):
        raise ValidationError({"tools": _("There is no tool named %(name)s.") % {"name": missing[0][:60]}})
