"""What is asked of a switch about its users and queues, as `commands` is what it is told."""

from __future__ import annotations

from typing import Literal

from eslbridge.esl.command import Command, matching
from eslbridge.esl.errors import CommandRefused

_USER = r"[A-Za-z0-9*#+_.-]{1,64}"
_HOST = r"[A-Za-z0-9.-]{1,253}"
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_-]{0,63}"


def show_channels_like(text: str) -> Command:
    """The channels whose UUID, name or caller ID holds this, as JSON."""
    return Command(f"api show channels like {matching(_USER, text, 'a number')} as json")


def sofia_contact(user: str, domain: str) -> Command:
    """Where a user's telephones are registered, on any SIP profile; `error/user_not_registered` for nowhere."""
    return Command(f"api sofia_contact */{matching(_USER, user, 'a user')}@{matching(_HOST, domain, 'a domain')}")


def user_exists(user: str, domain: str) -> Command:
    """Whether the directory has a user: `true` or `false`."""
    return Command(f"api user_exists id {matching(_USER, user, 'a user')} {matching(_HOST, domain, 'a domain')}")


def user_data(user: str, domain: str, kind: Literal["attr", "param", "var"], name: str) -> Command:
    """One value of a user in the directory; empty (`-ERR no reply`) where there is none."""
    if kind not in ("attr", "param", "var"):
        raise CommandRefused(f"not a kind of user data: {kind!r}")
    who = f"{matching(_USER, user, 'a user')}@{matching(_HOST, domain, 'a domain')}"
    return Command(f"api user_data {who} {kind} {matching(_VARIABLE, name, 'a name')}")


def queue_agents(queue: str, domain: str) -> Command:
    """The agents of a call-centre queue, one a line under a heading, columns parted by `|`, and `+OK`. That alone where
    there are none, or no such queue (mod_callcenter.c, `list_result_callback`)."""
    who = f"{matching(_USER, queue, 'a queue')}@{matching(_HOST, domain, 'a domain')}"
    return Command(f"api callcenter_config queue list agents {who}")


def queues() -> Command:
    """All call-centre queues of the switch, of every domain: a heading, a line each that begins with a name, `+OK`."""
    return Command("api callcenter_config queue list")
