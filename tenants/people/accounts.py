"""Accounts across domains: sessions, passwords, operators. Everything here is the installation's, not a tenant's."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from tenants import audit
from tenants.context import platform_context
from tenants.models import BrowserSession, Member
from tenants.people import second_factor
from tenants.selectors import Membership
from tenants.sessions import hash_key

PAGE = 50


class LastOperator(Exception):
    """The installation would be left without anybody who runs it."""


def subject(user: Any) -> audit.Subject:
    """An account, for the record."""
    return audit.Subject("account", str(user.pk), user.get_username())


def note(user: Any, action: str) -> None:
    """Something was done about an account that changes no row."""
    audit.log(action, subject(user))


def sessions(user_id: int) -> list[BrowserSession]:
    """A person's browsers, the one used last first. Ended and expired ones are not there."""
    with platform_context():
        rows = BrowserSession.objects.filter(user_id=user_id, expires_at__gt=timezone.now())
        return list(rows.defer("data").order_by("-seen_at")[:100])


def is_this(session: BrowserSession, key: str | None) -> bool:
    """Whether a session is the one with this key."""
    return key is not None and session.key_hash == hash_key(key)


def end_session(*, user: Any, session_uuid: UUID) -> bool:
    """Sign one browser out. False where the person has no such session."""
    with platform_context():
        row = BrowserSession.objects.filter(pk=session_uuid, user_id=user.pk).first()
        if row is None:
            return False
        audit.log("session.ended", subject(user), old={"browser": row.agent, "address": row.address})
        row.delete()
    return True


def end_sessions(user: Any, *, but: str | None = None) -> int:
    """Sign a person out everywhere; `but`: the key of the session that stays."""
    with platform_context():
        rows = BrowserSession.objects.filter(user_id=user.pk)
        if but is not None:
            rows = rows.exclude(key_hash=hash_key(but))
        ended = rows.delete()[0]
        if ended:
            audit.log("sessions.ended", subject(user), old={"sessions": ended})
    return ended


@transaction.atomic
def set_password(user: Any, password: str, *, how: str, keep_session: str | None = None) -> None:
    """A new password, already validated. Every other session ends. `how`: `changed` or `reset`."""
    user.set_password(password)
    user.save(update_fields=["password"])
    with platform_context():
        audit.log(f"password.{how}", subject(user))
        end_sessions(user, but=keep_session)


def find_people(*, search: str = "", after: str = "", size: int = PAGE) -> tuple[list[Any], str]:
    """Accounts by name, a page of them, and where the next page begins (empty: nowhere)."""
    rows = get_user_model().objects.filter(username__gt=after)
    if search:
        rows = rows.filter(
            Q(username__icontains=search)
            | Q(email__icontains=search)
            | Q(first_name__icontains=search)
            | Q(last_name__icontains=search)
        )
    found = list(rows.order_by("username")[: size + 1])
    return found[:size], found[size - 1].username if len(found) > size else ""


def all_memberships(user_id: int) -> list[Membership]:
    """A person's places, also in domains that are switched off."""
    with platform_context():
        rows = Member.objects.filter(user_id=user_id).order_by("domain__name")
        return [Membership(*row) for row in rows.values_list("domain_id", "domain__name", "role")]


def operators() -> list[Any]:
    """Who runs the installation."""
    return list(get_user_model().objects.filter(is_superuser=True).order_by("username"))


@transaction.atomic
def remove_operator(user: Any) -> None:
    """Take an operator's rights away; the account stays. Raises LastOperator."""
    users = get_user_model().objects
    others = users.select_for_update().filter(is_superuser=True, is_active=True).order_by("pk")
    if not any(other.pk != user.pk for other in list(others)):
        raise LastOperator
    user.is_superuser = user.is_staff = False
    user.save(update_fields=["is_superuser", "is_staff"])
    with platform_context():
        audit.log("operator.deleted", subject(user))
        end_sessions(user)


@transaction.atomic
def switch(user: Any, *, active: bool) -> None:
    """Switch an account on or off; off, it is signed out everywhere. Raises LastOperator."""
    if not active and user.is_superuser:
        users = get_user_model().objects
        others = list(users.select_for_update().filter(is_superuser=True, is_active=True).order_by("pk"))
        if not any(other.pk != user.pk for other in others):
            raise LastOperator
    user.is_active = active
    user.save(update_fields=["is_active"])
    with platform_context():
        audit.log(f"account.switched-{'on' if active else 'off'}", subject(user))
        if not active:
            end_sessions(user)


@transaction.atomic
def lose_second_factor(user: Any) -> bool:
    """Somebody has lost telephone and recovery codes, and has shown the operator who they are."""
    was_on = second_factor.switch_off(user)
    end_sessions(user)
    return was_on
