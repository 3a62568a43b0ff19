"""Where sessions live: Django's SESSION_ENGINE over `BrowserSession`, so that a person can see and end their own.

The cookie's key is stored as a hash. A session ends SESSION_IDLE_S after it was last used, and SESSION_COOKIE_AGE after
it began, however busy it was. Use is noted every few minutes, not on every request.

A session is loaded and saved across tenants (a person may belong to several): outside of every tenant's context. The
async methods are those of Django's base, which run these here in a thread.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.db import IntegrityError
from django.utils import timezone

from tenants.context import platform_context
from tenants.models.session import BrowserSession
from tenants.origin import current_origin

NOTED_EVERY: Final = timedelta(minutes=5)


def hash_key(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


class SessionStore(SessionBase):
    """One browser's session."""

    def load(self) -> dict[str, Any]:
        now = timezone.now()
        with platform_context():
            row = BrowserSession.objects.filter(
                key_hash=hash_key(self.session_key or ""),
                expires_at__gt=now,
                seen_at__gt=now - timedelta(seconds=settings.SESSION_IDLE_S),
            ).first()
        if row is None:
            self._session_key = None
            return {}
        if row.seen_at < now - NOTED_EVERY:
            self.modified = True
        return self.decode(row.data)

    def exists(self, session_key: str) -> bool:
        with platform_context():
            return BrowserSession.objects.filter(key_hash=hash_key(session_key)).exists()

    def create(self) -> None:
        while True:
            self._session_key = self._get_new_session_key()  # type: ignore[attr-defined]
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            return

    def save(self, must_create: bool = False) -> None:
        """Raises CreateError (the key is taken), UpdateError (the session was ended meanwhile)."""
        if self.session_key is None:
            return self.create()
        data: dict[str, Any] = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        now, origin = timezone.now(), current_origin()
        key, user_id = hash_key(self.session_key or ""), data.get(SESSION_KEY)
        about = {
            "data": self.encode(data),
            "user_id": int(user_id) if user_id is not None else None,
            "seen_at": now,
            "updated_at": now,
            "address": origin.address,
            "agent": origin.agent,
        }
        with platform_context():
            if must_create:
                self._insert(key, now + timedelta(seconds=settings.SESSION_COOKIE_AGE), about)
            elif not BrowserSession.objects.filter(key_hash=key).update(**about):
                raise UpdateError
            if user_id is not None:
                BrowserSession.objects.filter(key_hash=key, signed_in_at__isnull=True).update(signed_in_at=now)
        return None

    def _insert(self, key: str, expires_at: Any, about: dict[str, Any]) -> None:
        try:
            with platform_context():
                BrowserSession(key_hash=key, expires_at=expires_at, **about).save(force_insert=True)
        except IntegrityError as error:
            raise CreateError from error

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            with platform_context():
                BrowserSession.objects.filter(key_hash=hash_key(key)).delete()

    @classmethod
    def clear_expired(cls) -> None:
        """What `manage.py clearsessions` does."""
        now = timezone.now()
        idle = now - timedelta(seconds=settings.SESSION_IDLE_S)
        with platform_context():
            BrowserSession.objects.filter(expires_at__lte=now).delete()
            BrowserSession.objects.filter(seen_at__lte=idle).delete()
