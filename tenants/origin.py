"""Where the running code's request came from, and for whom it acts: what the record of changes says about both.

Context variables, so that services need not be told. `OriginMiddleware` sets the origin of every HTTP request; whoever
finds out who is asking (the panel, the API, a command) enters `acting`.
"""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")


@dataclass(frozen=True, slots=True)
class Origin:
    """One request. All empty: no request at all (a worker, a command)."""

    address: str | None = None
    agent: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `kind` as in `EventFields.actor_kind`, an identity that stays, and a name to read."""

    kind: str
    ident: str = ""
    label: str = ""


SYSTEM: Final = Actor("system")
_origin: ContextVar[Origin] = ContextVar("tenants_origin", default=Origin())  # noqa: B039 - frozen
_actor: ContextVar[Actor] = ContextVar("tenants_actor", default=SYSTEM)


def current_origin() -> Origin:
    return _origin.get()


def current_actor() -> Actor:
    return _actor.get()


@contextmanager
def coming_from(origin: Origin) -> Iterator[None]:
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """All that is written inside is this actor's doing."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def user_actor(user: Any) -> Actor:
    """A signed-in person."""
    if not getattr(user, "is_authenticated", False):
        return Actor("user", "", "")
    kind = "operator" if getattr(user, "is_superuser", False) else "user"
    return Actor(kind, str(user.pk), user.get_username()[:200])


def client_address(request: HttpRequest) -> str | None:
    """The client's IP address; None where it is not known (a socket file) or not an address.

    Behind a trusted proxy (TRUST_PROXY_HEADERS) it is the last of X-Forwarded-For, which that proxy has written;
    everything before it the client may have made up.
    """
    claimed = request.META.get("REMOTE_ADDR", "")
    if getattr(settings, "SECURE_PROXY_SSL_HEADER", None):
        claimed = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or claimed
    try:
        return str(ipaddress.ip_address(claimed))
    except ValueError:
        return None


def origin_of(request: HttpRequest) -> Origin:
    """Address, browser and id of a request. The id is the client's `X-Request-Id` where that is harmless."""
    given = request.headers.get("X-Request-Id", "")
    return Origin(
        address=client_address(request),
        agent="".join(letter for letter in request.headers.get("User-Agent", "") if letter.isprintable())[:300],
        request_id=given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex,
    )
