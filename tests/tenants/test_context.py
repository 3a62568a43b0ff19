"""The tenant of the running code: entered, nested, left, and never carried over."""

from __future__ import annotations

import asyncio
import threading
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction

from secretary.models import Secretary
from tenants import context
from tenants.context import current_domain_uuid, current_scope, in_platform, in_tenant, platform_context, tenant_context
from tenants.errors import InvalidTenantError, NoTenantError, TenantConflictError, UnsafeRoleError
from tests.cast import Tenant, make_tenant

SETTING = "select current_setting('app.domain_uuid', true), current_setting('app.platform', true)"


def settings_now() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(SETTING)
        row = cursor.fetchone()
    return row[0] or "", row[1] or ""


@pytest.mark.django_db
def test_query_without_a_tenant_raises() -> None:
    """A query outside of every context is a bug and says so, instead of an empty page."""
    with pytest.raises(NoTenantError):
        Secretary.objects.all()
    with pytest.raises(NoTenantError):
        Secretary.objects.create(name="nobody's")


def test_queryset_that_left_its_context_raises(acme: Tenant, globex: Tenant) -> None:
    """A lazy query made for one tenant runs neither outside nor inside another one's context."""
    with tenant_context(acme.domain_uuid):
        lazy = Secretary.objects.filter(enabled=True)
    for evaluate in (list, len, lambda q: q.count(), lambda q: q.exists(), lambda q: q.update(name="x"),
                     lambda q: q.delete(), lambda q: list(q.iterator()), lambda q: q.first()):  # fmt: skip
        with pytest.raises(NoTenantError):
            evaluate(lazy.all())
        with tenant_context(globex.domain_uuid), pytest.raises(NoTenantError):
            evaluate(lazy.all())


def test_each_tenant_sees_its_own(acme: Tenant, globex: Tenant) -> None:
    """Same extension, same names: each context finds its own rows alone; the platform finds both."""
    for tenant in (acme, globex):
        with tenant_context(tenant.domain_uuid):
            assert [row.secretary_uuid for row in Secretary.objects.all()] == [tenant.secretary.secretary_uuid]
    with platform_context():
        assert Secretary.objects.count() == 2


def test_nested_in_another_tenant_raises(acme: Tenant, globex: Tenant) -> None:
    """One tenant's code cannot become another's, nor the platform's."""
    with tenant_context(acme.domain_uuid):
        with pytest.raises(TenantConflictError), tenant_context(globex.domain_uuid):
            pass
        with pytest.raises(TenantConflictError), platform_context():
            pass
        assert current_domain_uuid() == acme.domain_uuid
        assert Secretary.objects.count() == 1


def test_nested_contexts_restore_what_was(acme: Tenant, globex: Tenant) -> None:
    """A tenant inside the platform narrows it for the block alone; the same tenant may be entered again."""
    with platform_context():
        with tenant_context(acme.domain_uuid):
            with tenant_context(str(acme.domain_uuid)):
                assert Secretary.objects.count() == 1
            assert settings_now() == (str(acme.domain_uuid), "")
        assert settings_now() == ("", "on")
        with tenant_context(globex.domain_uuid):
            assert Secretary.objects.get().secretary_uuid == globex.secretary.secretary_uuid
        assert Secretary.objects.count() == 2
    assert settings_now() == ("", "")
    assert current_scope() is None


def test_restored_after_an_exception(acme: Tenant) -> None:
    """An exception inside leaves neither the variable nor PostgreSQL's setting behind."""
    with platform_context():
        with pytest.raises(RuntimeError), tenant_context(acme.domain_uuid):
            raise RuntimeError
        assert settings_now() == ("", "on")
    assert settings_now() == ("", "")
    assert current_scope() is None


@pytest.mark.parametrize("nonsense", ["", "acme.example", "' or true --", "1", "\0"])
def test_what_is_no_uuid_is_no_tenant(nonsense: str) -> None:
    """A channel variable may hold anything; it never reaches PostgreSQL unless it is a UUID."""
    with pytest.raises(InvalidTenantError), tenant_context(nonsense):
        pass


@pytest.mark.django_db(transaction=True)
def test_pooled_connection_carries_no_tenant() -> None:
    """After a context, and after one that failed, the connection goes back to the pool without a tenant."""
    acme = make_tenant("acme.example")
    with tenant_context(acme.domain_uuid):
        pid = connection.connection.info.backend_pid
    connection.close()
    assert settings_now() == ("", "")
    with pytest.raises(RuntimeError), tenant_context(acme.domain_uuid):
        raise RuntimeError
    connection.close()
    seen = set()
    for _ in range(40):  # more than the pool holds: it hands them out in turn
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from secretary_secretary")
            assert cursor.fetchone() == (0,)
        seen.add(connection.connection.info.backend_pid)
        connection.close()
    assert pid in seen, "the pool was not exercised: no connection came back"


@pytest.mark.django_db(transaction=True)
def test_on_commit_runs_without_the_tenant() -> None:
    """A callback runs after the transaction, where the setting is gone: it must not believe in a tenant either."""
    acme = make_tenant("acme.example")
    seen: list[object] = []
    with tenant_context(acme.domain_uuid):
        transaction.on_commit(lambda: seen.append(current_scope()))
    assert seen == [None]


@pytest.mark.django_db(transaction=True)
def test_another_thread_must_enter_by_itself() -> None:
    """A copied context variable without the transaction beneath it raises, instead of finding nothing."""
    import contextvars

    acme = make_tenant("acme.example")
    errors: list[type[Exception]] = []
    seen: list[int] = []

    def query() -> None:
        try:
            with transaction.atomic(), pytest.raises(NoTenantError):
                Secretary.objects.count()
            with transaction.atomic(), tenant_context(acme.domain_uuid):
                seen.append(Secretary.objects.count())
            Secretary.objects.count()
        except Exception as error:
            errors.append(type(error))
        finally:
            connections.close_all()

    with tenant_context(acme.domain_uuid):
        thread = threading.Thread(target=contextvars.copy_context().run, args=(query,))
        thread.start()
        thread.join()
    assert seen == [1]
    assert errors == [NoTenantError]


@pytest.mark.django_db(transaction=True)
def test_from_asyncio_many_tenants_at_once() -> None:
    """Coroutines of two tenants, side by side on shared connections, each see their own rows only."""
    tenants = [make_tenant("acme.example"), make_tenant("globex.example")]

    async def look(tenant: Tenant) -> list[str]:
        return await in_tenant(tenant.domain_uuid, lambda: [row.name for row in Secretary.objects.all()])

    async def all_of_them() -> list[list[str]]:
        return await asyncio.gather(*(look(tenants[turn % 2]) for turn in range(40)))

    for turn, names in enumerate(asyncio.run(all_of_them())):
        assert names == [f"Reception of {tenants[turn % 2].name}"]
    assert asyncio.run(in_platform(Secretary.objects.count)) == 2


def test_unsafe_role_is_refused(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a role that bypasses the policies no context is entered at all."""
    monkeypatch.setattr(context, "_role_is_safe", False)
    monkeypatch.setattr(context, "role_bypasses_rls", lambda: True)
    with pytest.raises(UnsafeRoleError), tenant_context(uuid4()):
        pass
    assert current_scope() is None
