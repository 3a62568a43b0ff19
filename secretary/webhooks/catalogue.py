"""The types of events. A name here is a promise to receivers: it is never changed, only joined by others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

VERSION: Final = 1
"""Of the payloads. Members are added without a new number; a receiver ignores what it does not know."""

EVERYTHING: Final = "*"
"""Chosen instead of types: all that there are and will be."""
PING: Final = "webhook.ping"
"""A test that a person sends; it goes to one webhook, whatever that has chosen."""

EVENT_TYPES: Final[Mapping[str, str | Promise]] = {
    "call.started": _("A secretary takes a call"),
    "call.ended": _("A call is over, or was refused at once"),
    "transfer.requested": _("A caller is to be put through"),
    "transfer.done": _("The caller was put through"),
    "transfer.failed": _("The caller could not be put through"),
    "message.created": _("A caller left a message"),
    "callback.requested": _("A caller wants to be called back"),
    "callback.due": _("It is time for a callback"),
    "callback.done": _("A caller was called back"),
    "callback.failed": _("A callback did not succeed"),
    "callback.cancelled": _("A callback was taken back"),
    "quota.warning": _("80 % of a quota or budget is used"),
    "quota.exceeded": _("A quota or budget is used up"),
}
