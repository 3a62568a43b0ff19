"""Sessions: hashed, ended, expired, and nobody's but their owner's."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import UpdateError
from django.core.management import call_command
from django.db import connection

from tenants.context import platform_context, tenant_context
from tenants.errors import NoTenantError
from tenants.models import BrowserSession
from tenants.origin import Origin, coming_from
from tenants.people import accounts
from tenants.sessions import SessionStore
from tests.cast import Tenant
from tests.tenants.people.conftest import Clock


def sign_in(user: User, address: str = "192.0.2.1") -> str:
    """A session as signing in makes it; gives its key."""
    with coming_from(Origin(address, "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0")):
        store = SessionStore()
        store["_auth_user_id"] = str(user.pk)
        store["cart"] = {"a": 1}
        store.create()
        store.save()
    assert store.session_key is not None
    return store.session_key


def loaded(key: str) -> dict[str, object]:
    return dict(SessionStore(key).items())


def test_round_trip(alice: User) -> None:
    """What was stored is there, with who, when, from where and which browser."""
    key = sign_in(alice)
    assert loaded(key)["cart"] == {"a": 1}
    (row,) = accounts.sessions(alice.pk)
    assert (row.user_id, row.address) == (alice.pk, "192.0.2.1")
    assert "Firefox" in row.agent and row.signed_in_at is not None
    assert accounts.is_this(row, key) and not accounts.is_this(row, "other")


def test_key_is_not_in_the_database(alice: User) -> None:
    """Reading the table opens no session."""
    key = sign_in(alice)
    with platform_context(), connection.cursor() as cursor:
        cursor.execute("select string_agg(t::text, ' ') from tenants_browsersession t")
        assert key not in cursor.fetchone()[0]
    (row,) = accounts.sessions(alice.pk)
    assert loaded(row.key_hash) == {}


def test_ended(alice: User, bob: User) -> None:
    """An ended session is nothing; its last request cannot bring it back; another person's cannot be ended."""
    key, other = sign_in(alice), sign_in(alice, "192.0.2.2")
    busy = SessionStore(key)
    busy["x"] = 1
    (row,) = [row for row in accounts.sessions(alice.pk) if accounts.is_this(row, key)]
    assert not accounts.end_session(user=bob, session_uuid=row.pk)
    assert accounts.end_session(user=alice, session_uuid=row.pk)
    assert not accounts.end_session(user=alice, session_uuid=uuid4())
    assert loaded(key) == {}
    with pytest.raises(UpdateError):
        busy.save()
    assert loaded(other)["cart"] == {"a": 1}


def test_everywhere_but_here(alice: User, bob: User) -> None:
    """All of one's own, but not this one, and nobody else's."""
    here, there, bobs = sign_in(alice), sign_in(alice), sign_in(bob)
    assert accounts.end_sessions(alice, but=here) == 1
    assert loaded(here) and loaded(bobs) and not loaded(there)


def test_password_ends_sessions(alice: User) -> None:
    """A changed password ends the others, a reset one all."""
    here, there = sign_in(alice), sign_in(alice)
    accounts.set_password(alice, "another long password", how="changed", keep_session=here)
    assert loaded(here) and not loaded(there)
    accounts.set_password(alice, "yet another password", how="reset")
    assert not loaded(here)


def test_idle_and_absolute_end(alice: User, clock: Clock) -> None:
    """Three hours without use end it; so do twelve hours of use."""
    key = sign_in(alice)
    clock.pass_s(3 * 3600 + 1)
    assert loaded(key) == {}
    key, begin = sign_in(alice), clock.now
    while clock.now - begin < timedelta(hours=11):
        clock.pass_s(3600)
        store = SessionStore(key)
        assert store.get("cart") == {"a": 1} and store.modified
        store.save()
    clock.pass_s(3600)
    assert loaded(key) == {}
    assert accounts.sessions(alice.pk) == []
    call_command("clearsessions")
    with platform_context():
        assert not BrowserSession.objects.exists()


def test_use_is_not_written_every_time(alice: User, clock: Clock) -> None:
    """Two requests in a minute write nothing."""
    key = sign_in(alice)
    clock.pass_s(60)
    store = SessionStore(key)
    assert store.get("cart") and not store.modified


def test_tenants_see_none(acme: Tenant, alice: User) -> None:
    """A tenant's code reaches no session, neither by the manager nor by SQL."""
    sign_in(alice)
    with tenant_context(acme.domain_uuid):
        with pytest.raises(NoTenantError):
            BrowserSession.objects.count()
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from tenants_browsersession")
            assert cursor.fetchone() == (0,)


def test_last_operator(alice: User, bob: User) -> None:
    """Somebody always runs the installation: the last operator is neither removed nor switched off."""
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    alice.refresh_from_db()
    with pytest.raises(accounts.LastOperator):
        accounts.remove_operator(alice)
    with pytest.raises(accounts.LastOperator):
        accounts.switch(alice, active=False)
    User.objects.filter(pk=bob.pk).update(is_superuser=True)
    sign_in(alice)
    accounts.remove_operator(alice)
    alice.refresh_from_db()
    assert not alice.is_superuser and accounts.sessions(alice.pk) == []
    assert [user.username for user in accounts.operators()] == ["bob"]
