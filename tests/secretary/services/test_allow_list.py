"""A secretary's own list of public numbers, from the call to the worker."""

from __future__ import annotations

from typing import Any

import pytest

from eslbridge import dialling
from eslbridge.models import DialAttempt, Job
from eslbridge.tasks import run_job
from secretary.errors import CallbackRefused, TransferRefused
from secretary.models import Destination, Secretary
from secretary.services import calling_out
from secretary.services.callbacks import Consent, request_callback
from secretary.services.destinations import create_destination
from secretary.services.secretaries import create_secretary, update_secretary
from secretary.services.transfers import request_transfer
from tenants.context import tenant_context
from tests.cast import Tenant
from tests.eslbridge.test_jobs_runner import RecordingSwitch, new, run

LAWYER, TAXI = "+4930123456", "+12125551234"


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_job, "apply_async", lambda *_, **__: None)


def give(tenant: Tenant, *numbers: str, only: bool = False) -> None:
    with tenant_context(tenant.domain_uuid):
        row = Secretary.objects.get(pk=tenant.secretary.pk)
        values = {"allow_list": list(numbers), "allow_list_only": only}
        update_secretary(secretary_uuid=row.pk, seen_at=row.updated_at, **values)


def stored(tenant: Tenant, number: str = LAWYER) -> Destination:
    with tenant_context(tenant.domain_uuid):
        return create_destination(name="Lawyer", number=number, kind="external")


def reason(tenant: Tenant, number: str, **about: Any) -> str:
    return dialling.ask(domain_uuid=tenant.domain_uuid, number=number, kind="external", **about).reason


def test_of_the_secretary_who_has_the_call(acme: Tenant) -> None:
    """Her list is hers: another secretary of the domain, and a person at the panel, have none of it."""
    give(acme, TAXI)
    with tenant_context(acme.domain_uuid):
        other = create_secretary(name="Night").pk
    call = acme.call().call_uuid
    assert reason(acme, "212 555 1234", call_uuid=call) == "ok"
    assert reason(acme, TAXI, secretary_uuid=acme.secretary.pk) == "ok"
    assert reason(acme, TAXI, secretary_uuid=other) == "external" and reason(acme, TAXI) == "external"
    assert reason(acme, TAXI, secretary_uuid=other, call_uuid=call) == "ok", "the call says who, not the asker"


def test_nothing_but_the_list(acme: Tenant) -> None:
    """She neither knows nor reaches the stored numbers that are not on it; the job is not even made."""
    place, call = stored(acme), acme.call().call_uuid
    give(acme, TAXI, only=True)
    assert [one.name for one in acme.profile().destinations] == ["Sales"]
    with pytest.raises(TransferRefused, match="allow_list"):
        request_transfer(domain_uuid=acme.domain_uuid, call_uuid=call, destination_uuid=place.pk)
    give(acme, "+4930*", only=True)
    assert {one.name for one in acme.profile().destinations} == {"Lawyer", "Sales"}
    job = request_transfer(domain_uuid=acme.domain_uuid, call_uuid=call, destination_uuid=place.pk)
    with tenant_context(acme.domain_uuid):
        assert Job.objects.get().job_uuid == job
        refused = DialAttempt.objects.get(allowed=False)
        assert (refused.reason, refused.secretary_uuid) == ("allow_list", acme.secretary.pk)
        assert LAWYER in refused.detail


def test_the_worker_asks_again(acme: Tenant) -> None:
    """A list that was shortened while the job waited holds; the row of an unchanged answer is not written again."""
    give(acme, LAWYER)
    place, call = stored(acme), acme.call().call_uuid
    about = {"arguments": {"number": LAWYER, "kind": "external"}, "secretary_uuid": acme.secretary.pk}
    late = new(acme, call_uuid=call, **about)
    request_transfer(domain_uuid=acme.domain_uuid, call_uuid=call, destination_uuid=place.pk)
    with tenant_context(acme.domain_uuid):
        early, asked = Job.objects.get(arguments__has_key="destination_uuid"), DialAttempt.objects.get()
    assert run(early, RecordingSwitch()) == ("done", "")
    with tenant_context(acme.domain_uuid):
        assert DialAttempt.objects.get().updated_at == asked.updated_at
    give(acme, only=True)
    ended = run(late, switch := RecordingSwitch())
    assert ended == ("not_allowed", f"allow_list {LAWYER} is not on the secretary's list")
    assert switch.endpoints == []


def test_what_she_calls_by_herself(acme: Tenant) -> None:
    """Calling out and promised callbacks go by her list, too; a person's own call does not."""
    dialling.save_rules(domain_uuid=acme.domain_uuid, external_allowed=True)
    give(acme, LAWYER, only=True)
    wish: dict[str, Any] = {
        "call_uuid": None, "name": "Ana", "reason": "", "consent": Consent("spoken", "Reception"), "not_before": None,
        "not_after": None, "secretary_uuid": acme.secretary.pk, "domain_uuid": acme.domain_uuid,
    }  # fmt: skip
    with pytest.raises(CallbackRefused, match="allow_list"):
        request_callback(number=TAXI, **wish)
    assert request_callback(number=LAWYER, **wish)
    with tenant_context(acme.domain_uuid):
        assert calling_out.click_to_call(domain_uuid=acme.domain_uuid, phone="1001", number=TAXI)
    with tenant_context(acme.domain_uuid), pytest.raises(TransferRefused, match="allow_list"):
        calling_out.to_secretary(domain_uuid=acme.domain_uuid, number=TAXI, secretary_uuid=acme.secretary.pk)


def test_tenants_never_meet(acme: Tenant, globex: Tenant) -> None:
    """A foreign secretary's list is no list here, named by hand or by a foreign call."""
    give(globex, TAXI)
    assert reason(acme, TAXI, secretary_uuid=globex.secretary.pk) == "external"
    assert reason(acme, TAXI, call_uuid=globex.call().call_uuid) == "external"
    assert reason(globex, TAXI, secretary_uuid=globex.secretary.pk) == "ok"
