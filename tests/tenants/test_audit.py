"""The record of changes: complete, masked, apart, and not to be changed by anybody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from eslbridge.services import save_credential
from secretary.models import Secretary
from secretary.services.secretaries import create_secretary, delete_secretary, update_secretary
from tenants import audit, keys, record_keeping
from tenants.context import platform_context, tenant_context
from tenants.errors import NoTenantError
from tenants.models import AuditEvent, InstallationEvent
from tenants.origin import Actor, Origin, acting, coming_from
from tenants.services import create_domain
from tests.cast import Tenant

ALICE = Actor("user", "7", "alice")
ORIGIN = Origin("192.0.2.1", "Firefox", "req-1")


@contextmanager
def as_alice(tenant: Tenant) -> Iterator[None]:
    with tenant_context(tenant.domain_uuid), acting(ALICE), coming_from(ORIGIN):
        yield


def last(tenant: Tenant) -> AuditEvent:
    with tenant_context(tenant.domain_uuid):
        return AuditEvent.objects.order_by("-at")[0]


def count(tenant: Tenant) -> int:
    with tenant_context(tenant.domain_uuid):
        return AuditEvent.objects.count()


def test_life_of_a_secretary(acme: Tenant) -> None:
    """Made, changed and removed: three lines, with who, from where, and what differs."""
    with as_alice(acme):
        row = create_secretary(name="Sofia", greeting="Hello")
    event = last(acme)
    assert (event.action, event.object_kind, event.object_id) == ("secretary.created", "secretary", str(row.pk))
    assert (event.actor_kind, event.actor_id, event.actor_label) == ("user", "7", "alice")
    assert (event.address, event.request_id, event.object_label) == ("192.0.2.1", "req-1", "Sofia")
    assert event.old is None and event.new["greeting"] == "Hello"
    with as_alice(acme):
        update_secretary(secretary_uuid=row.pk, seen_at=row.updated_at, name="Sofia", greeting="Good day")
    event = last(acme)
    assert (event.action, event.old, event.new) == (
        "secretary.changed", {"greeting": "Hello"}, {"greeting": "Good day"},
    )  # fmt: skip
    with as_alice(acme):
        delete_secretary(secretary_uuid=row.pk)
    event = last(acme)
    assert event.action == "secretary.deleted" and event.old["name"] == "Sofia" and event.new is None


def test_saving_without_a_change_is_no_change(acme: Tenant) -> None:
    """No line for nothing."""
    with as_alice(acme):
        row = create_secretary(name="Sofia")
        before = count(acme)
        update_secretary(secretary_uuid=row.pk, seen_at=row.updated_at, name="Sofia")
    assert count(acme) == before


def test_line_and_change_share_a_fate(acme: Tenant) -> None:
    """Rolled back, neither is there."""
    before = count(acme)
    with pytest.raises(RuntimeError), as_alice(acme):
        create_secretary(name="Sofia")
        raise RuntimeError
    assert count(acme) == before
    with tenant_context(acme.domain_uuid):
        assert not Secretary.objects.filter(name="Sofia").exists()


def test_secrets_are_masked(acme: Tenant) -> None:
    """That a password changed is told, old and new are not: neither the switch's nor an API key."""
    save_credential(domain_uuid=acme.domain_uuid, password="hunter2-new", host="10.0.0.9")
    event = last(acme)
    assert event.old["password"] == event.new["password"] == audit.MASK
    assert event.new["host"] == "10.0.0.9"
    issued = keys.issue_domain_key(domain_uuid=acme.domain_uuid, name="k", scopes=["*"])
    assert last(acme).new["secret_hash"] == audit.MASK and last(acme).new["prefix"] == issued.key.prefix
    with platform_context(), connection.cursor() as cursor:
        cursor.execute("select string_agg(t::text, ' ') from tenants_auditevent t")
        text = cursor.fetchone()[0]
    assert not any(secret in text for secret in ("hunter2", "password of", issued.token, issued.key.secret_hash))


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("password", "x", audit.MASK),
        ("api_token", "x", audit.MASK),
        ("new-secret", "x", audit.MASK),
        ("password", "", ""),
        ("secretary", "x", "x"),
        ("tokenizer", "x", "x"),
        ("headers", {"Authorization": "Bearer x", "Accept": "y"}, {"Authorization": audit.MASK, "Accept": "y"}),
        ("when", datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        ("text", "a\0b" + "x" * 9000, "ab" + "x" * 3998),
        ("many", ({"secret": 1},), [{"secret": audit.MASK}]),
    ],
)
def test_values(name: str, value: Any, kept: Any) -> None:
    """Masked by name at every depth, never the secretary; cut, and fit for JSON."""
    assert audit.plain({name: value}) == {name: kept}


def test_other_tenants_record(acme: Tenant, globex: Tenant) -> None:
    """What acme does stands in acme's record; globex sees nothing of it, by manager or by SQL."""
    with tenant_context(globex.domain_uuid):
        theirs = set(AuditEvent.objects.values_list("pk", flat=True))
    with as_alice(acme):
        create_secretary(name="Sofia")
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from tenants_auditevent where event_uuid = any(%s)", [list(theirs)])
            assert cursor.fetchone() == (0,)
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            AuditEvent(domain_id=globex.domain_uuid, actor_kind="user", action="a.b", object_kind="a").save()
    with tenant_context(globex.domain_uuid):
        assert set(AuditEvent.objects.values_list("pk", flat=True)) == theirs


@pytest.mark.parametrize(
    "statement",
    [
        "update {0} set actor_label = 'nobody'",
        "delete from {0}",
        "update {0} set actor_label = 'nobody' where false",
        "delete from {0} where false",
    ],
)
@pytest.mark.parametrize("table", ["tenants_auditevent", "tenants_installationevent"])
@pytest.mark.parametrize("platform", [False, True], ids=["tenant", "platform"])
def test_nothing_is_ever_changed(platform: bool, table: str, statement: str, acme: Tenant) -> None:
    """PostgreSQL refuses UPDATE and DELETE to the owner of the table too, in every context."""
    context = platform_context() if platform else tenant_context(acme.domain_uuid)
    with context, pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(statement.format(table))


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["tenants_auditevent", "tenants_installationevent"])
def test_not_emptied_either(table: str) -> None:
    """TRUNCATE is refused, by a trigger that only the tests' database has switched off."""
    with connection.cursor() as cursor:
        cursor.execute(f"alter table {table} enable trigger append_only_truncate")
    with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"truncate {table}")


def test_through_django_neither(acme: Tenant) -> None:
    """Nor by a model's own methods."""
    with as_alice(acme):
        create_secretary(name="Sofia")
        event = AuditEvent.objects.order_by("-at")[0]
        event.actor_label = "nobody"
        for change in (event.save, event.delete, AuditEvent.objects.all().delete):
            with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
                change()


@pytest.mark.django_db
def test_it_forgets_what_is_old_and_nothing_else(acme: Tenant) -> None:
    """Lines of more than AUDIT_KEPT_DAYS go, with a line that says so; PostgreSQL keeps whatever is younger than 90
    days, also from one who may delete."""
    now = timezone.now()
    with tenant_context(acme.domain_uuid):
        for days in (500, 401, 399, 89, 0):
            AuditEvent.objects.create(at=now - timedelta(days=days), action="a.b", object_kind="a", actor_kind="system")
    with platform_context():
        before = InstallationEvent.objects.count()
        InstallationEvent.objects.create(at=now - timedelta(days=401), action="a.b", object_kind="a", actor_kind="x")
    assert record_keeping.forget_old_lines(now) == 3
    with platform_context():
        assert [(now - at).days for at in AuditEvent.objects.filter(action="a.b").values_list("at", flat=True)] == [
            399, 89, 0,
        ]  # fmt: skip
        assert InstallationEvent.objects.count() == before + 2
        assert {event.new["count"] for event in InstallationEvent.objects.filter(action="record.purged")} == {2, 1}
        for old in (AuditEvent.objects.filter(action="a.b"), InstallationEvent.objects.filter(action="record.purged")):
            with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic(), connection.cursor() as at:
                at.execute("select set_config('app.expire_record', 'on', true)")
                old.delete()
        with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
            AuditEvent.objects.filter(at__lt=now - timedelta(days=300)).delete()


def test_record_outlives_the_domain(acme: Tenant) -> None:
    """Deleting a domain leaves its record, for the operator."""
    from tenants.models import Domain

    before = count(acme)
    with platform_context():
        Domain.objects.get(pk=acme.domain_uuid).delete()
        assert AuditEvent.objects.filter(domain_id=acme.domain_uuid).count() == before > 0


@pytest.mark.django_db
def test_installations_own(acme: Tenant) -> None:
    """What belongs to no domain stands where no tenant looks."""
    audit.log("operator.created", audit.Subject("account", "1", "olga"))
    keys.issue_installation_key(name="k", scopes=["*"])
    with platform_context():
        assert sorted(InstallationEvent.objects.values_list("action", flat=True)) == [
            "installationkey.created", "operator.created",
        ]  # fmt: skip
    with tenant_context(acme.domain_uuid):
        with pytest.raises(NoTenantError):
            InstallationEvent.objects.count()
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from tenants_installationevent")
            assert cursor.fetchone() == (0,)


@pytest.mark.django_db
def test_operator_names_a_domain() -> None:
    """What the platform does to a domain stands in the domain's record."""
    domain = create_domain(name="acme.example")
    with tenant_context(domain.pk):
        assert AuditEvent.objects.get().action == "domain.created"


def test_batch(acme: Tenant) -> None:
    """Lines of many changes are written at once; of a batch that fails, none."""
    with as_alice(acme):
        before = AuditEvent.objects.count()
        with audit.batch():
            for number in range(5):
                create_secretary(name=f"S{number}")
            assert AuditEvent.objects.count() == before
        assert AuditEvent.objects.count() == before + 5
        with pytest.raises(RuntimeError), audit.batch():
            create_secretary(name="T")
            raise RuntimeError
        assert AuditEvent.objects.count() == before + 5


def test_hostile_labels(acme: Tenant) -> None:
    """Line breaks, control letters and endless names fit into one line."""
    with as_alice(acme), acting(Actor("user" * 20, "7" * 200, "a\nb\0" + "x" * 900)):
        audit.log("x" * 200, audit.Subject("k" * 99, str(uuid4()) * 9, "\r\nlabel\x1b[31m"))
    event = last(acme)
    assert event.actor_label.startswith("a b x") and len(event.actor_label) == 200
    assert event.object_label == "  label [31m"
