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


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that belong together; the first group has no name."""

    title: Text
    items: list[Item]

    @property
    def current(self) -> bool:
        return any(item.current for item in self.items)


# Name of route and section, words, and what one must be allowed to find it there. The first group is a day's work, and
# all that stands at the bottom of a telephone; the others are behind its last entry.
_Entries = tuple[tuple[str, Text, str], ...]
_GROUPS: tuple[tuple[Text, _Entries], ...] = (
    (
        "",
        (
            ("home", _("Home"), "SEE"),
            ("calls", _("Calls"), "SEE"),
            ("messages", _("Messages"), "SEE"),
            ("callbacks", _("Callbacks"), "SEE"),
        ),
    ),
    (
        _("Who answers"),
        (
            ("secretaries", _("Secretaries"), "SEE_SETUP"),
            ("extensions", _("Extensions"), "SEE_SETUP"),
            ("destinations", _("Destinations"), "SEE_SETUP"),
            ("hours", _("Hours"), "SEE_SETUP"),
            ("services", _("Speech services"), "CONFIGURE"),
            ("tools", _("Tools"), "CONFIGURE"),
        ),
    ),
    (
        _("Administration"),
        (
            ("people", _("People"), "MANAGE_PEOPLE"),
            ("usage", _("Usage"), "SEE_SETUP"),
            ("connection", _("Telephone system"), "CONFIGURE"),
            ("dialling", _("Dialling"), "SEE_SETUP"),
            ("data", _("Data"), "CONFIGURE"),
            ("webhooks", _("Webhooks"), "CONFIGURE"),
            ("jobs", _("Jobs"), "SEE_SETUP"),
            ("record", _("Record"), "SEE_RECORD"),
        ),
    ),
)

_OUTSIDE: tuple[tuple[Text, bool, tuple[tuple[str, str, Text], ...]], ...] = (
    # A group's name, whether it is for operators alone, and its entries: route, picture, words.
    ("", False, (("domains", "switch", _("Domains")), ("account", "person", _("Your account")))),
    (
        _("The installation"),
        True,
        (
            ("everybody", "people", _("Accounts")),
            ("operators", "key", _("Operators")),
            ("platform-services", "services", _("Speech services")),
            ("installation-record", "record", _("Record")),
        ),
    ),
)


def navigation(access: Access, section: str) -> list[Group]:
    """The entries that the person may open, with the one that the page belongs to marked; no group is empty."""
    from secretary.panel.access import Can

    unread = min(count_unread(access.own), 99)
    groups = []
    for title, entries in _GROUPS:
        items = [
            Item(
                url=reverse(f"panel:{name}", args=[access.domain.pk]),
                icon=name,
                label=label,
                current=name == section,
                count=unread if name == "messages" else 0,
            )
            for name, label, wanted in entries
            if access.may(Can[wanted])
        ]
        if items:
            groups.append(Group(title, items))
    return groups


def navigation_outside(*, operator: bool, section: str) -> list[Group]:
    """The entries where no domain is chosen."""
    return [
        Group(title, [Item(reverse(f"panel:{name}"), icon, label, name == section) for name, icon, label in entries])
        for title, for_operators, entries in _OUTSIDE
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
