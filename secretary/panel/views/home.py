"""The first page of a domain: today at a glance, and what is still missing until callers are answered."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from secretary.panel.access import Access, in_domain
from secretary.panel.node import node_state
from secretary.panel.pages import show
from secretary.selectors.call_list import figures_since, latest_calls
from secretary.selectors.configuration import SetUp, set_up
from secretary.selectors.inbox import count_unread


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to set up: done, or where to do it (no link for who may not)."""

    done: bool
    title: str
    text: str
    url: str
    action: str


def _steps(access: Access, state: SetUp) -> list[Step]:
    def link(name: str) -> str:
        return reverse(f"panel:{name}", args=[access.domain.pk]) if access.may_configure else ""

    return [
        Step(
            state.secretary,
            _("A secretary"),
            _("Give it a name, a language and a greeting."),
            link("secretary-new"),
            _("New secretary"),
        ),
        Step(
            state.extension,
            _("An extension"),
            _("Choose the number people dial to reach it, for example 8001."),
            link("extension-new" if state.secretary else "extensions"),
            _("New extension"),
        ),
        Step(
            state.destination,
            _("A destination"),
            _("Say whom callers ask for and which number reaches them."),
            link("destination-new"),
            _("New destination"),
        ),
        Step(
            state.connection,
            _("The telephone system"),
            _("Say where your FreeSWITCH or FusionPBX is reached, so that callers can be put through."),
            link("connection"),
            _("Connect"),
        ),
    ]


def _greeting(hour: int) -> str:
    if 5 <= hour < 12:
        return _("Good morning")
    return _("Good afternoon") if 12 <= hour < 18 else _("Good evening")


@in_domain()
def home(request: HttpRequest, access: Access) -> HttpResponse:
    """Today's calls, unread messages, the node, the newest calls."""
    now = timezone.localtime()
    state = set_up()
    return show(
        request,
        access,
        "panel/home.html",
        section="home",
        greeting=_greeting(now.hour),
        now=now,
        today=figures_since(now.replace(hour=0, minute=0, second=0, microsecond=0), access.own),
        unread=count_unread(access.own),
        node=node_state(),
        set_up_complete=state.complete or not access.sees_setup,
        steps=_steps(access, state),
        recent=latest_calls(count=6, own=access.own),
    )
