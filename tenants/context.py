"""Which tenant the running code works for.

A context is a transaction with PostgreSQL's setting `app.domain_uuid` in it, so that row-level security lets exactly
one tenant's rows through, and a context variable, so that a query without a tenant raises instead of finding nothing.
The setting lives no longer than the transaction: a pooled connection never carries a tenant to its next user.

    with tenant_context(domain_uuid):
        Secretary.objects.all()                      # this tenant's

    await in_tenant(domain_uuid, open_call, call_uuid=...)   # from asyncio: a thread, a transaction, the tenant

`platform_context` is the explicit road across tenants: sweepers, sign-in, provisioning. Grep for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, ParamSpec, TypeVar
from uuid import UUID

import structlog
from channels.db import database_sync_to_async
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from tenants.errors import InvalidTenantError, NoTenantError, TenantConflictError, UnsafeRoleError

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Scope:
    """What the current code may see: one domain, or (None) the whole platform."""

    domain_uuid: UUID | None

    @property
    def is_platform(self) -> bool:
        return self.domain_uuid is None


@dataclass(frozen=True, slots=True)
class _Entered:
    """A scope and the connection that PostgreSQL was told on: context variables get copied into other threads."""

    scope: Scope
    on: BaseDatabaseWrapper

    @property
    def is_here(self) -> bool:
        return self.on is connections[DEFAULT_DB_ALIAS] and self.on.in_atomic_block


PLATFORM: Final = Scope(None)
_entered: ContextVar[_Entered | None] = ContextVar("tenants_scope", default=None)
_role_is_safe = False


def parse_domain_uuid(value: UUID | str) -> UUID:
    """A domain's UUID from outside. Raises InvalidTenantError, without repeating what may be anything at all."""
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidTenantError("not a domain's UUID") from error


def current_scope() -> Scope | None:
    """The active scope, or None outside of every context."""
    entered = _entered.get()
    return entered.scope if entered is not None else None


def require_scope() -> Scope:
    """The active scope. Raises NoTenantError where there is none, or where its transaction is not this thread's."""
    entered = _entered.get()
    if entered is None:
        raise NoTenantError("A query needs a tenant: enter tenant_context(domain_uuid), or platform_context().")
    if not entered.is_here:
        raise NoTenantError("The tenant's transaction is not open on this thread's connection: use in_tenant().")
    return entered.scope


def current_domain_uuid() -> UUID | None:
    """The active tenant; None for the platform and outside. The default of every tenant model's `domain`."""
    entered = _entered.get()
    return entered.scope.domain_uuid if entered is not None else None


@contextmanager
def tenant_context(domain_uuid: UUID | str) -> Iterator[UUID]:
    """Run a block as one tenant, in a transaction. May be nested for the same tenant, or inside the platform's.

    Raises InvalidTenantError, TenantConflictError, and UnsafeRoleError when the role could bypass the policies.
    """
    domain = parse_domain_uuid(domain_uuid)
    outer = current_scope()
    if outer is not None and not outer.is_platform and outer.domain_uuid != domain:
        raise TenantConflictError("This code already works for another tenant.")
    with structlog.contextvars.bound_contextvars(domain=str(domain)), _scoped(Scope(domain)):
        yield domain


@contextmanager
def platform_context() -> Iterator[None]:
    """Run a block across all tenants, in a transaction. Never inside a tenant's context: that would widen it."""
    outer = current_scope()
    if outer is not None and not outer.is_platform:
        raise TenantConflictError("A tenant's code may not become the platform's.")
    with _scoped(PLATFORM):
        yield


@contextmanager
def _scoped(scope: Scope) -> Iterator[None]:
    here = connections[DEFAULT_DB_ALIAS]
    entered = _entered.get()
    outer = entered.scope if entered is not None and entered.is_here else None
    if scope == outer:
        with transaction.atomic():
            yield
        return
    nested = here.in_atomic_block
    with transaction.atomic():
        _refuse_unsafe_role()
        _tell_postgresql(scope)
        token = _entered.set(_Entered(scope, here))
        try:
            yield
        finally:
            # Before the commit, so that an on_commit callback does not believe in a tenant whose setting is gone.
            _entered.reset(token)
        # Reached without an exception only: a rollback to the savepoint takes the setting back by itself.
        if nested and not here.needs_rollback:
            _tell_postgresql(outer)


def _tell_postgresql(scope: Scope | None) -> None:
    domain = str(scope.domain_uuid) if scope is not None and scope.domain_uuid is not None else ""
    platform = "on" if scope is not None and scope.is_platform else ""
    with connection.cursor() as cursor:
        cursor.execute(
            "select set_config('app.domain_uuid', %s, true), set_config('app.platform', %s, true)", [domain, platform]
        )


def role_bypasses_rls() -> bool:
    """Whether the connection's current role is a superuser or has BYPASSRLS."""
    with connection.cursor() as cursor:
        cursor.execute("select rolsuper or rolbypassrls from pg_roles where rolname = current_user")
        row = cursor.fetchone()
    return row is None or bool(row[0])


def _refuse_unsafe_role() -> None:
    # Once in a process: settings and role do not change under way. The system check tells the same at start.
    global _role_is_safe
    if not _role_is_safe:
        if role_bypasses_rls():
            raise UnsafeRoleError("The database role bypasses row-level security: use one NOSUPERUSER NOBYPASSRLS.")
        _role_is_safe = True


def give_connection_back() -> None:
    """Before a long wait for somebody else: return this thread's connection to the pool; the next query takes one anew.

    A worker's hundred greenlets share ten connections, and Celery gives a task's back at its end only: ten originates
    that ring would otherwise keep every transfer waiting. Nothing happens inside a transaction.
    """
    if not connection.in_atomic_block:
        connection.close()


async def in_thread(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a sync function that touches the database from asyncio, in a thread of the loop's pool."""
    result: R = await database_sync_to_async(function, thread_sensitive=False)(*args, **kwargs)
    return result


async def in_tenant(domain_uuid: UUID | str, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a sync function from asyncio as one tenant: a thread and one transaction."""

    def run() -> R:
        with tenant_context(domain_uuid):
            return function(*args, **kwargs)

    return await in_thread(run)


async def in_platform(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a sync function from asyncio across all tenants: a thread and one transaction."""

    def run() -> R:
        with platform_context():
            return function(*args, **kwargs)

    return await in_thread(run)
