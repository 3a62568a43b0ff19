"""Drawing a page of one domain: the frame with its navigation around a view's own content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from secretary.panel.words import Text
from secretary.selectors.inbox import count_unread

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


_SECTIONS: tuple[tuple[str, str, Text], ...] = (
    ("home", "home", _("Home")),
    ("calls", "calls", _("Calls")),
    ("messages", "messages", _("Messages")),
    ("secretaries", "secretaries", _("Secretaries")),
    ("destinations", "destinations", _("Destinations")),
    ("extensions", "extensions", _("Extensions")),
)


def navigation(access: Access, section: str) -> list[Item]:
    """The entries, with the one that the page belongs to marked."""
    unread = count_unread()
    return [
        Item(
            url=reverse(f"panel:{name}", args=[access.domain.pk]),
            icon=icon,
            label=label,
            current=name == section,
            count=min(unread, 99) if name == "messages" else 0,
            gap=name == "secretaries",
        )
        for name, icon, label in _SECTIONS
    ]


def show(
    request: HttpRequest, access: Access, template: str, *, section: str = "", status: int = 200, **context: Any
) -> HttpResponse:
    """A page inside the frame. Never kept by a shared cache, nor shown by the browser after signing out."""
    frame = {
        "access": access,
        "navigation": navigation(access, section),
        "may_write": access.may_configure,
        "several_domains": bool(request.session.get(SEVERAL_DOMAINS)),
    }
    response = render(request, template, {**frame, **context}, status=status)
    response.headers["Cache-Control"] = "private, no-store"
    return response
