"""Asking the policy: facts out of the database, counted without a race, and written down for its own tenant."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from eslbridge import dialling
from eslbridge.dialling import ask, save_rules, weigh
from eslbridge.jobs import create_job
from eslbridge.models import DialAttempt
from eslbridge.policy import Decision
from eslbridge.tasks import run_job
from secretary.models import Destination
from secretary.services.destinations import create_destination
from tenants.context import tenant_context
from tenants.models import AuditEvent
from tenants.quotas import set_quota, set_rules
from tests.cast import Tenant, make_tenant

BERLIN = "+4930123456"


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_job, "apply_async", lambda *_, **__: None)


def external(tenant: Tenant, number: str = "2125551234", **about: object) -> Decision:
    return ask(domain_uuid=tenant.domain_uuid, number=number, kind="external", **about)  # type: ignore[arg-type]


def attempts(tenant: Tenant) -> list[tuple[str, bool, str]]:
    with tenant_context(tenant.domain_uuid):
        rows = DialAttempt.objects.order_by("created_at")
        return list(rows.values_list("number", "allowed", "reason"))


def test_defaults(acme: Tenant) -> None:
    """A domain that has said nothing: its own numbers, and what is stored, in whatever spelling."""
    with tenant_context(acme.domain_uuid):
        create_destination(name="Lawyer", number=BERLIN, kind="external")
    assert ask(domain_uuid=acme.domain_uuid, number="1001", kind="extension").allowed
    assert external(acme).reason == "external"
    assert external(acme, BERLIN).dialled == BERLIN
    assert external(acme, "011 49 (30) 123456").dialled == BERLIN
    with tenant_context(acme.domain_uuid):
        Destination.objects.filter(name="Lawyer").update(enabled=False)
    assert external(acme, BERLIN).reason == "external"


def test_another_tenants_list_counts_for_nothing(acme: Tenant, globex: Tenant) -> None:
    """Rules, stored numbers, dials and calls of one domain are nothing to the other."""
    with tenant_context(globex.domain_uuid):
        create_destination(name="Lawyer", number=BERLIN, kind="external")
    save_rules(domain_uuid=globex.domain_uuid, external_allowed=True, external_per_hour=1)
    assert external(globex).allowed
    assert external(globex).reason == "per_hour"
    assert [external(acme, number).reason for number in (BERLIN, "2125551234")] == ["external", "external"]
    theirs = globex.call(toll_allow="local,domestic,international").call_uuid
    save_rules(domain_uuid=acme.domain_uuid, external_allowed=True)
    assert external(acme, call_uuid=theirs).allowed, "a foreign call is no call here"
    assert len(attempts(globex)) == 2 and len(attempts(acme)) == 3
    with tenant_context(acme.domain_uuid):
        assert not DialAttempt.objects.filter(domain_id=globex.domain_uuid).exists()


def test_country_by_the_domain(db: None) -> None:
    """Numbers are at home where the domain's telephone country code or language says, unless its rules say more."""
    brazil = make_tenant("acme.com.br", language="pt-br")
    save_rules(domain_uuid=brazil.domain_uuid, external_allowed=True)
    assert external(brazil, "(11) 98765-4321").dialled == "+5511987654321"
    set_rules(domain_uuid=brazil.domain_uuid, country_code="49")
    assert external(brazil, "030 123456").dialled == BERLIN
    save_rules(domain_uuid=brazil.domain_uuid, country="GB")
    assert external(brazil, "020 7946 0000").dialled == "+442079460000"


def test_the_record_says_why(acme: Tenant) -> None:
    """Every wish is on record with its reason; what is no number, too, made printable."""
    save_rules(domain_uuid=acme.domain_uuid, external_allowed=True)
    external(acme, "1-900-555-1234")
    external(acme, "evil\nnumber\0")
    external(acme)
    assert attempts(acme) == [
        ("1-900-555-1234", False, "premium"),
        ("evil number ", False, "malformed"),
        ("2125551234", True, "ok"),
    ]
    with tenant_context(acme.domain_uuid):
        assert DialAttempt.objects.get(reason="premium").e164 == "+19005551234"
        assert AuditEvent.objects.filter(action="dialrules.created").count() == 1


def test_limits_of_call_hour_and_day(acme: Tenant) -> None:
    """Refused dials are not counted; an hour and a day are those that have just gone by."""
    call = acme.call().call_uuid
    save_rules(domain_uuid=acme.domain_uuid, external_allowed=True, per_call=2, external_per_hour=3, external_per_day=4)
    assert [external(acme, call_uuid=call).reason for _ in range(3)] == ["ok", "ok", "per_call"]
    assert [external(acme).reason for _ in range(2)] == ["ok", "per_hour"]
    assert ask(domain_uuid=acme.domain_uuid, number="1001", kind="extension").allowed, "inside the domain it goes on"
    later = timezone.now() + timedelta(hours=1, seconds=1)
    assert [external(acme, now=later).reason for _ in range(2)] == ["ok", "per_day"]
    assert external(acme, now=later + timedelta(days=1)).allowed


def test_the_same_job_is_one_dial(acme: Tenant) -> None:
    """The worker's question is about the dial that was counted, in the form that was given; a new rule still counts."""
    save_rules(domain_uuid=acme.domain_uuid, external_allowed=True, external_per_hour=1, dial_as="digits", country="DE")
    job_uuid = uuid4()
    first = external(acme, "030 123456", job_uuid=job_uuid)
    assert (first.allowed, first.dialled) == (True, "4930123456")
    job = create_job(
        domain_uuid=acme.domain_uuid,
        kind="originate",
        arguments={"number": first.dialled, "kind": "external"},
        job_uuid=job_uuid,
    )
    assert dialling.ask_for(job) == first
    assert attempts(acme) == [("030 123456", True, "ok")]
    save_rules(domain_uuid=acme.domain_uuid, blocked_prefixes=["+4930"])
    assert dialling.ask_for(job).reason == "blocked"
    assert attempts(acme) == [("030 123456", False, "blocked")]


def test_caller_may_as_much_as_their_telephone(acme: Tenant) -> None:
    """FusionPBX's toll_allow of the caller decides for what the secretary dials for them."""
    save_rules(domain_uuid=acme.domain_uuid, external_allowed=True)
    for classes, reason in (("local", "toll_allow"), ("local,domestic", "ok"), ("", "ok")):
        assert external(acme, call_uuid=acme.call(toll_allow=classes).call_uuid).reason == reason
    save_rules(domain_uuid=acme.domain_uuid, toll_allow="local")
    assert external(acme).reason == "toll_allow"


def test_minutes_and_calls(acme: Tenant) -> None:
    """No new call without a free slot, and none on minutes that are used up."""
    for _ in range(10):
        acme.call()
    originate = {"number": "1001", "kind": "extension", "new_call": True}
    assert ask(domain_uuid=acme.domain_uuid, **originate).reason == "calls_full"  # type: ignore[arg-type]
    assert ask(domain_uuid=acme.domain_uuid, number="1001", kind="extension").allowed
    save_rules(domain_uuid=acme.domain_uuid, external_allowed=True)
    set_quota(domain_uuid=acme.domain_uuid, minutes_per_day=1)
    with tenant_context(acme.domain_uuid):
        from secretary.models import UsageDay

        UsageDay.objects.create(day=timezone.now().date(), provider="local", unit="second", currency="USD", quantity=50)
    assert external(acme).reason == "minutes"


def test_a_call_does_not_go_round(acme: Tenant) -> None:
    """To another secretary once, and never back to where the call came in."""
    call = acme.call().call_uuid

    def to(number: str) -> str:
        return ask(domain_uuid=acme.domain_uuid, number=number, kind="secretary", call_uuid=call).reason

    assert [to("8001"), to("8002"), to("8002"), to("8003")] == ["secretary_loop", "ok", "secretary_loop", "ok"]


def test_weighing_counts_nothing(acme: Tenant) -> None:
    """A form or a preview asks as often as it likes."""
    save_rules(domain_uuid=acme.domain_uuid, external_allowed=True, external_per_hour=1)
    for _ in range(3):
        assert weigh(domain_uuid=acme.domain_uuid, number="2125551234", kind="external").allowed
    assert attempts(acme) == []


@pytest.mark.django_db(transaction=True)
def test_at_the_same_moment() -> None:
    """Of twelve transfers asked for at once, as many go out as the limit says: in one call, and in an hour."""
    acme = make_tenant("acme.example")
    save_rules(domain_uuid=acme.domain_uuid, external_allowed=True, per_call=4, external_per_hour=5)
    calls = [acme.call().call_uuid, acme.call().call_uuid]

    def go(call_uuid: UUID) -> bool:
        try:
            return external(acme, call_uuid=call_uuid).allowed
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        one = list(pool.map(go, [calls[0]] * 6))
        both = list(pool.map(go, [calls[1]] * 6))
    assert (sum(one), sum(both)) == (4, 1)
