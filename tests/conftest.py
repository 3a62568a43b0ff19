"""Fixtures for every room. What only one room needs is in that room's own conftest."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

# A busy machine is not a slow strategy: examples have no time limit of their own.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


OWN_SERVERS = ("tests/demo/", "tests/embedded/")
"""Tests that start whole stacks: side by side they would take each other's ports between looking and binding."""


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests that start servers of their own together, one after the other (`--dist loadgroup`)."""
    for item in items:
        if item.nodeid.startswith(OWN_SERVERS):
            item.add_marker(pytest.mark.xdist_group("own servers"))


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
