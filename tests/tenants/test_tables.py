"""Every table of the database is either behind the wall or named here with the reason why not."""

from __future__ import annotations

from typing import Final

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import ForeignKey

from tenants.models import Domain, TenantModel
from tenants.rls import POLICY

WITHOUT_TENANT: Final = {
    "django_migrations": "Django's record of the schema",
    "django_content_type": "names of models, the same for all",
    "django_session": "unused, empty: sessions are in tenants_browsersession",
    "auth_user": "people; what they may see follows from tenants_member, which is behind the wall",
    "auth_group": "Django's groups, unused: roles are in tenants_member",
    "auth_group_permissions": "likewise",
    "auth_permission": "names of Django's permissions, the same for all",
    "auth_user_groups": "unused, see auth_group",
    "auth_user_user_permissions": "unused, see auth_group",
    "tenants_installationkey": "keys of the installation itself; its policy shows them to platform_context alone",
    "tenants_installationevent": "the installation's own record; likewise",
    "tenants_operatorinvitation": "invitations to run the installation; likewise",
    "tenants_browsersession": "signed-in browsers; a person may be a member of several domains; likewise",
    "tenants_secondfactor": "people's authenticator apps; likewise",
    "tenants_recoverycode": "likewise",
    "tenants_throttle": "what was tried in vain, by keyed hash; likewise",
    "secretary_providerprice": "the installation's price list: every tenant may read it, the platform alone may write",
    "secretary_installationprovider": "the installation's keys of speech services; seen in platform_context alone",
    "api_installationrequest": "answers to requests about the installation itself, behind the same policy",
}


def tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select relname from pg_class c join pg_namespace n on n.oid = relnamespace"
            " where relkind in ('r', 'p') and nspname = current_schema() order by relname"
        )
        return [row[0] for row in cursor.fetchall()]


def missing(table: str) -> list[str]:
    """What a table lacks to keep tenants apart."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select relrowsecurity, relforcerowsecurity,"
            " (select attnotnull from pg_attribute where attrelid = c.oid and attname = 'domain_uuid'),"
            " (select array_agg(format('%%s/%%s/%%s', polname, polcmd, polpermissive)) from pg_policy"
            "   where polrelid = c.oid),"
            " (select bool_and(pg_get_expr(polqual, c.oid) = pg_get_expr(polwithcheck, c.oid)"
            "   and pg_get_expr(polqual, c.oid) like '%%domain_uuid = %%app.domain_uuid%%'"
            "   and polroles = '{0}') from pg_policy where polrelid = c.oid)"
            " from pg_class c where oid = %s::regclass",
            [table],
        )
        enabled, forced, not_null, policies, sound = cursor.fetchone()
    problems = {
        "domain_uuid NOT NULL": bool(not_null),
        "ENABLE ROW LEVEL SECURITY": enabled,
        "FORCE ROW LEVEL SECURITY": forced,
        "the one policy, for all commands": policies == [f"{POLICY}/*/t"],
        "the same condition for reading and writing": bool(sound),
    }
    return [what for what, there in problems.items() if not there]


@pytest.mark.django_db
def test_every_table_is_behind_the_wall() -> None:
    """All tables that PostgreSQL has, also those without a model."""
    found = {table: missing(table) for table in tables() if table not in WITHOUT_TENANT}
    assert len(found) >= 11
    assert {table: problems for table, problems in found.items() if problems} == {}


@pytest.mark.django_db
def test_exceptions_are_still_there() -> None:
    """An exception for a table that is gone would hide a later one of the same name."""
    assert set(WITHOUT_TENANT) <= set(tables())


@pytest.mark.django_db
def test_the_test_itself_sees_a_bare_table() -> None:
    """A table without any protection is found out."""
    with connection.cursor() as cursor:
        cursor.execute("create table secretary_bare (id int)")
        cursor.execute("create table secretary_half (domain_uuid uuid not null)")
        cursor.execute("alter table secretary_half enable row level security")
        cursor.execute(f"create policy {POLICY} on secretary_half using (true)")
    assert len(missing("secretary_bare")) == 5
    assert missing("secretary_half") == [
        "FORCE ROW LEVEL SECURITY", "the same condition for reading and writing",
    ]  # fmt: skip


def test_every_tenant_model_guards_its_related_lookups() -> None:
    """Base and default manager of every model with a tenant raise without one."""
    from tenants.managers import TenantManager

    models = [
        model for model in apps.get_models() if any(f.column == "domain_uuid" for f in model._meta.concrete_fields)
    ]
    assert len(models) >= 11
    for model in models:
        assert isinstance(model._default_manager, TenantManager), model
        assert isinstance(model._base_manager, TenantManager), model


@pytest.mark.django_db
def test_every_foreign_key_stays_inside_its_tenant() -> None:
    """A key from one tenant table to another has domain_uuid on both sides; to the domain itself, it is domain_uuid."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select conrelid::regclass::text, confrelid::regclass::text,"
            " array(select attname::text from unnest(conkey) with ordinality k(n, i) join pg_attribute"
            "   on attrelid = conrelid and attnum = n order by i),"
            " array(select attname::text from unnest(confkey) with ordinality k(n, i) join pg_attribute"
            "   on attrelid = confrelid and attnum = n order by i)"
            " from pg_constraint where contype = 'f'"
        )
        keys = cursor.fetchall()
    seen: set[tuple[str, str]] = set()
    for table, target, columns, target_columns in keys:
        if table in WITHOUT_TENANT or target in WITHOUT_TENANT:
            continue
        if target == Domain._meta.db_table:
            assert (columns, target_columns) == (["domain_uuid"], ["domain_uuid"]), table
            continue
        assert columns[0] == target_columns[0] == "domain_uuid", (table, target)
        seen.add((table, columns[1]))
    declared = {
        (model._meta.db_table, field.column)
        for model in apps.get_models()
        if issubclass(model, TenantModel)
        for field in model._meta.concrete_fields
        if isinstance(field, ForeignKey) and issubclass(field.related_model, TenantModel)  # type: ignore[arg-type]
    }
    assert seen == declared
    assert len(seen) >= 7
