"""Fixtures for every room. What only one room needs is in that room's own conftest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError
from django.db.backends.postgresql.operations import DatabaseOperations
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

# A busy machine is not a slow strategy: examples have no time limit of their own.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The test database. Under a role that bypasses row-level security the tests of isolation would prove nothing."""
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("select rolsuper, rolbypassrls from pg_roles where rolname = current_user")
        if cursor.fetchone() != (False, False):
            pytest.exit("DATABASE_URL's role must be NOSUPERUSER NOBYPASSRLS (and CREATEDB): see script/test.", 4)
        # Transactional tests empty every table; tests/tenants/test_audit.py looks at these triggers by themselves.
        for table in ("tenants_auditevent", "tenants_installationevent"):
            cursor.execute(f"alter table {table} disable trigger append_only_truncate")


@pytest.fixture(scope="session", autouse=True)
def patient_flush() -> Iterator[None]:
    """Tables are emptied between tests that commit while a worker of theirs may still write: the loser of a deadlock
    tries again."""
    flush = DatabaseOperations.execute_sql_flush

    def again(self: Any, statements: Any) -> None:
        for _ in range(4):
            try:
                return flush(self, statements)
            except OperationalError as error:
                if "deadlock detected" not in str(error):
                    raise
        return flush(self, statements)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", again)
        yield
