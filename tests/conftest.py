"""Fixtures for every room. What only one room needs is in that room's own conftest."""

from __future__ import annotations

import pytest
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
