"""What the panel knows of the voice node: whether the one in this server's own settings answers right now.

Other nodes of the installation are not known here, so nothing is said about them.
"""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

DEADLINE_S = 0.4
"""A page never waits longer than this for a node."""
KEPT_S = 5
"""For how long an answer is believed."""

_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - where to ask, not where to listen

_last: dict[tuple[str, int], tuple[float, str]] = {}
"""The last answer of this process, with the moment it came: one entry, for the one address in the settings."""


@dataclass(frozen=True, slots=True)
class NodeState:
    """What to show: a headline and a line of detail."""

    headline: str
    detail: str


def probe(host: str, port: int) -> str:
    """Ask `/readyz`: `ready`, `not ready` (it answered something else) or `silent`."""
    connection = http.client.HTTPConnection(_ANY_ADDRESS.get(host, host), port, timeout=DEADLINE_S)
    try:
        connection.request("GET", "/readyz")
        return "ready" if connection.getresponse().status == 200 else "not ready"
    except (OSError, http.client.HTTPException):
        return "silent"
    finally:
        connection.close()


def node_state() -> NodeState:
    """Whether the configured node takes calls, at most KEPT_S old."""
    bind = settings.VOICENODE_MEDIA_BIND
    asked, answer = _last.get((bind.host, bind.port), (0.0, ""))
    if not answer or time.monotonic() - asked > KEPT_S:
        answer = probe(bind.host, bind.port)
        _last[bind.host, bind.port] = (time.monotonic(), answer)
    where = {"name": settings.VOICENODE_NAME, "address": f"{bind.host}:{bind.port}"}
    if answer == "ready":
        return NodeState(_("Ready for calls"), _("%(name)s answers at %(address)s") % where)
    if answer == "not ready":
        return NodeState(_("Not ready"), _("%(name)s answers at %(address)s, but takes no calls now") % where)
    return NodeState(_("Not reached"), _("Nothing answers at %(address)s, the only node this page knows of") % where)
