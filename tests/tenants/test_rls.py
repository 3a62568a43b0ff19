"""The migration operations do what they say, forwards and backwards."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.state import ProjectState

from tenants.rls import EnableTenantRls, TenantForeignKey


def protection(table: str) -> tuple[bool, bool, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select relrowsecurity, relforcerowsecurity, (select count(*) from pg_policy where polrelid = c.oid)"
            " from pg_class c where relname = %s",
            [table],
        )
        row: tuple[bool, bool, int] = cursor.fetchone()
    return row


def keys(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_constraint where conname = %s", [name])
        return int(cursor.fetchone()[0])


@pytest.mark.django_db
def test_policy_goes_and_comes_back() -> None:
    """Reversed, the table is as before; applied again, it is protected."""
    state = ProjectState.from_apps(apps)
    operation = EnableTenantRls("message")
    with connection.schema_editor(atomic=False) as editor:
        operation.database_backwards("secretary", editor, state, state)
        assert protection("secretary_message") == (False, False, 0)
        operation.database_forwards("secretary", editor, state, state)
        assert protection("secretary_message") == (True, True, 1)


@pytest.mark.django_db
def test_key_goes_and_comes_back() -> None:
    """The composite key can be dropped and made again."""
    state = ProjectState.from_apps(apps)
    operation = TenantForeignKey("message", "call")
    with connection.schema_editor(atomic=False) as editor:
        operation.database_backwards("secretary", editor, state, state)
        assert keys("secretary_message_call_tenant") == 0
        operation.database_forwards("secretary", editor, state, state)
        assert keys("secretary_message_call_tenant") == 1
