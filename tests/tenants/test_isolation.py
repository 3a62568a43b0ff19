"""PostgreSQL's own wall, without the help of the managers: raw SQL of one tenant against another's rows."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, ProgrammingError, connection, models, transaction

from secretary.models import Call, ExtensionMapping, Message, Secretary
from secretary.services.extensions import create_mapping
from tenants.context import tenant_context
from tenants.models import Domain, Member
from tests.cast import Tenant


def test_raw_sql_neither_reads_nor_writes_a_foreign_row(acme: Tenant, globex: Tenant) -> None:
    """select, update and delete of globex's row find nothing while acme is the tenant."""
    theirs = globex.secretary.secretary_uuid
    with tenant_context(acme.domain_uuid), connection.cursor() as cursor:
        cursor.execute("select count(*) from secretary_secretary where secretary_uuid = %s", [theirs])
        assert cursor.fetchone() == (0,)
        cursor.execute("update secretary_secretary set name = 'mine' where secretary_uuid = %s", [theirs])
        assert cursor.rowcount == 0
        cursor.execute("delete from secretary_secretary where secretary_uuid = %s", [theirs])
        assert cursor.rowcount == 0
        cursor.execute("select count(*) from tenants_domain")
        assert cursor.fetchone() == (1,)
    with tenant_context(globex.domain_uuid):
        assert Secretary.objects.get().name == "Reception of globex.example"


def test_no_row_for_another_tenant(acme: Tenant, globex: Tenant) -> None:
    """Neither an insert for globex nor moving a row to globex passes the policy's check."""
    with tenant_context(acme.domain_uuid):
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Secretary(domain_id=globex.domain_uuid, name="spy").save(force_insert=True)
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Secretary.objects.update(domain_id=globex.domain_uuid)
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Secretary.objects.bulk_create([Secretary(domain_id=globex.domain_uuid, name="spy")])


def test_no_foreign_key_to_another_tenants_row(acme: Tenant, globex: Tenant) -> None:
    """A composite key refuses at the statement what PostgreSQL's key checks, blind to policies, would let through."""
    with tenant_context(acme.domain_uuid):
        with pytest.raises(IntegrityError, match="tenant"), transaction.atomic():
            ExtensionMapping.objects.create(extension="8002", secretary_id=globex.secretary.secretary_uuid)
        with pytest.raises(IntegrityError, match="tenant"), transaction.atomic():
            Call.objects.create(call_uuid=uuid4(), destination_id=globex.sales.destination_uuid)
        with pytest.raises(IntegrityError, match="tenant"), transaction.atomic():
            Message.objects.create(secretary_id=globex.secretary.secretary_uuid)
        with pytest.raises(ValidationError, match="secretary"):
            create_mapping(extension="8002", secretary_id=globex.secretary.secretary_uuid)


def test_plain_manager_without_a_tenant_finds_nothing(acme: Tenant) -> None:
    """Where code gets around the manager, the policy still shows no row."""
    plain: models.Manager[Secretary] = models.Manager()
    plain.model = Secretary
    assert plain.count() == 0


def test_deleting_a_secretary_keeps_the_record(acme: Tenant) -> None:
    """Calls outlive the secretary who took them; her extensions do not."""
    call = acme.call()
    with tenant_context(acme.domain_uuid):
        Secretary.objects.get().delete()
        assert Call.objects.get(call_uuid=call.call_uuid).secretary_id is None
        assert not ExtensionMapping.objects.exists()


def test_deleting_a_domain_takes_all_its_rows(acme: Tenant, globex: Tenant) -> None:
    """Nothing of a deleted tenant stays, and nothing of the other goes."""
    acme.call()
    with tenant_context(acme.domain_uuid):
        Domain.objects.get().delete()
    with tenant_context(globex.domain_uuid):
        assert Secretary.objects.count() == 1
    with tenant_context(acme.domain_uuid):
        assert not Secretary.objects.exists() and not Call.objects.exists() and not Member.objects.exists()
