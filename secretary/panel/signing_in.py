"""The steps of signing in, between the password and the session."""

from __future__ import annotations

import time
from typing import Any, Final

from django.contrib.auth import get_user_model, login
from django.http import HttpRequest
from django.utils.translation import ngettext

from secretary.panel.access import SECOND_FACTOR
from tenants import audit
from tenants.origin import acting, user_actor
from tenants.people.accounts import subject

HALFWAY: Final = "halfway"
"""Session key: who has given the password, and still owes the second factor."""
HALFWAY_S: Final = 600
BACKEND: Final = "django.contrib.auth.backends.ModelBackend"


def begin_second_step(request: HttpRequest, user: Any, after: str) -> None:
    """The password was right. The session changes its key, and nobody is signed in yet."""
    request.session.cycle_key()
    request.session[HALFWAY] = {
        "user": user.pk,
        "proof": user.get_session_auth_hash(),
        "until": time.time() + HALFWAY_S,
        "next": after,
    }


def halfway(request: HttpRequest) -> tuple[Any, str] | None:
    """Who is half-way in, and where they want to go; None where nobody is, or no longer."""
    state = request.session.get(HALFWAY)
    if not isinstance(state, dict) or state.get("until", 0) < time.time():
        return None
    user = get_user_model().objects.filter(pk=state.get("user") or 0, is_active=True).first()
    # A password that was changed meanwhile ends this, too.
    if user is None or state.get("proof") != user.get_session_auth_hash():
        return None
    return user, str(state.get("next", ""))


def complete(request: HttpRequest, user: Any, *, second_factor: bool) -> None:
    """Sign in: a new key for the session (Django sees to that), and a line in the record."""
    request.session.pop(HALFWAY, None)
    login(request, user, backend=BACKEND)
    request.session[SECOND_FACTOR] = second_factor
    with acting(user_actor(user)):
        audit.log("session.started", subject(user), new={"second_factor": second_factor})


def failed(name: str) -> None:
    """A password or code was wrong. The name is kept where it is an account's: else it may be a password, mistyped."""
    known = get_user_model().objects.filter(username=name.strip()[:150]).first()
    audit.log("sign-in.failed", subject(known) if known is not None else audit.Subject("account"))


def wait_message(seconds: int) -> str:
    """The same words for every account, whether it exists or not."""
    if seconds < 60:
        return ngettext(
            "Too many attempts. Try again in %(n)d second.", "Too many attempts. Try again in %(n)d seconds.", seconds
        ) % {"n": seconds}
    minutes = -(-seconds // 60)
    return ngettext(
        "Too many attempts. Try again in %(n)d minute.", "Too many attempts. Try again in %(n)d minutes.", minutes
    ) % {"n": minutes}
