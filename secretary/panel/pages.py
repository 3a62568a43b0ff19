"""Drawing a page of one domain: the frame with its navigation around a view's own content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from secretary.panel.words import Text
from secretary.selectors.inbox import count_unread
from secretary.selectors.usage_summary import alarms_now

if TYPE_CHECKING:
    from secretary.panel.access import Access

SEVERAL_DOMAINS = "panel_several_domains"
"""Session key: whether the person can choose between domains. Written where they choose; only decides on a link."""


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the navigation."""

    url: str
    icon: str
    label: Text
    current: bool
    count: int = 0
    gap: bool = False


# Name of route and section, picture, words, and what one must be allowed to find it there.
_SECTIONS: tuple[tuple[str, Text, str], ...] = (
    ("home", _("Home"), "SEE"),
    ("calls", _("Calls"), "SEE"),
    ("messages", _("Messages"), "SEE"),
    ("callbacks", _("Callbacks"), "SEE"),
    ("secretaries", _("Secretaries"), "SEE_SETUP"),
    ("destinations", _("Destinations"), "SEE_SETUP"),
    ("extensions", _("Extensions"), "SEE_SETUP"),
    ("hours", _("Hours"), "SEE_SETUP"),
    ("dialling", _("Dialling"), "SEE_SETUP"),
    ("services", _("Speech services"), "CONFIGURE"),
    ("tools", _("Tools"), "CONFIGURE"),
    ("webhooks", _("Webhooks"), "CONFIGURE"),
    ("jobs", _("Jobs"), "SEE_SETUP"),
    ("usage", _("Usage"), "SEE_SETUP"),
    ("data", _("Data"), "CONFIGURE"),
    ("people", _("People"), "MANAGE_PEOPLE"),
    ("record", _("Record"), "SEE_RECORD"),
)
_GAPS = frozenset({"secretaries", "people"})

_OUTSIDE: tuple[tuple[str, str, Text, bool], ...] = (
    ("domains", "switch", _("Domains"), False),
    ("account", "person", _("Your account"), False),
    ("everybody", "people", _("Accounts"), True),
    ("operators", "key", _("Operators"), True),
    ("platform-services", "services", _("Speech services"), True),
    ("installation-record", "record", _("Record"), True),
)


def navigation(access: Access, section: str) -> list[Item]:
    """The entries, with the one that the page belongs to marked."""
    from secretary.panel.access import Can

    unread = count_unread(access.own)
    return [
        Item(
            url=reverse(f"panel:{name}", args=[access.domain.pk]),
            icon=name,
            label=label,
            current=name == section,
            count=min(unread, 99) if name == "messages" else 0,
            gap=name in _GAPS,
        )
        for name, label, wanted in _SECTIONS
        if access.may(Can[wanted])
    ]


def navigation_outside(*, operator: bool, section: str) -> list[Item]:
    """The entries where no domain is chosen."""
    return [
        Item(url=reverse(f"panel:{name}"), icon=icon, label=label, current=name == section, gap=name == "everybody")
        for name, icon, label, for_operators in _OUTSIDE
        if operator or not for_operators
    ]


def show_outside(
    request: HttpRequest, template: str, *, section: str = "", status: int = 200, **context: Any
) -> HttpResponse:
    """A page inside the frame that belongs to no domain: one's account, the installation."""
    operator = bool(getattr(request.user, "is_superuser", False))
    frame = {
        "navigation": navigation_outside(operator=operator, section=section),
        "may_write": True,
        "is_operator": operator,
    }
    response = render(request, template, {**frame, **context}, status=status)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def show(
    request: HttpRequest, access: Access, template: str, *, section: str = "", status: int = 200, **context: Any
) -> HttpResponse:
    """A page inside the frame. Never kept by a shared cache, nor shown by the browser after signing out."""
    frame = {
        "access": access,
        "navigation": navigation(access, section),
        "may_write": access.may_configure,
        "several_domains": bool(request.session.get(SEVERAL_DOMAINS)),
        "quota_alarms": alarms_now(timezone.now(), access.domain.time_zone) if access.sees_setup else [],
    }
    response = render(request, template, {**frame, **context}, status=status)
    response.headers["Cache-Control"] = "private, no-store"
    return response
