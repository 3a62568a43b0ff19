"""From what a provider wants to a job, with the platform's word in between."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from eslbridge.models import Job
from eslbridge.tasks import run_job
from secretary.errors import TransferRefused
from secretary.models import Destination
from secretary.profiles import CallRecord
from secretary.services.calls import finish_call
from secretary.services.transfers import request_transfer
from tenants.context import tenant_context
from tests.cast import Tenant


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_job, "apply_async", lambda arguments: None)


def ask(tenant: Tenant, call_uuid: UUID, destination_uuid: UUID) -> UUID:
    return request_transfer(domain_uuid=tenant.domain_uuid, call_uuid=call_uuid, destination_uuid=destination_uuid)


def refusal(tenant: Tenant, call_uuid: UUID, destination_uuid: UUID) -> str:
    with pytest.raises(TransferRefused) as caught:
        ask(tenant, call_uuid, destination_uuid)
    with tenant_context(tenant.domain_uuid):
        assert not Job.objects.exists()
    return caught.value.reason


def test_becomes_a_job(acme: Tenant) -> None:
    """The number comes from the database; the job knows call, secretary and destination."""
    call = acme.call()
    job_uuid = ask(acme, call.call_uuid, acme.sales.destination_uuid)
    with tenant_context(acme.domain_uuid):
        job = Job.objects.get(job_uuid=job_uuid)
    assert (job.kind, job.state, job.call_uuid) == ("transfer", "queued", call.call_uuid)
    assert job.secretary_uuid == acme.secretary.secretary_uuid
    assert job.arguments == {
        "number": "1001",
        "kind": "extension",
        "destination_uuid": str(acme.sales.destination_uuid),
        "back_to": "8001",
    }
    assert job.expires_at is not None


def test_unknown_or_foreign(acme: Tenant, globex: Tenant) -> None:
    """Somebody else's destination or call, one that is none, and a call that has ended."""
    call = acme.call()
    assert refusal(acme, call.call_uuid, globex.sales.destination_uuid) == "unknown_destination"
    assert refusal(acme, call.call_uuid, uuid4()) == "unknown_destination"
    assert refusal(acme, globex.call().call_uuid, acme.sales.destination_uuid) == "unknown_call"
    finish_call(domain_uuid=acme.domain_uuid, call_uuid=call.call_uuid, record=CallRecord("caller_hung_up"))
    assert refusal(acme, call.call_uuid, acme.sales.destination_uuid) == "unknown_call"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"enabled": False}, "disabled"),
        ({"number": "8001"}, "secretary_loop"),
        ({"number": "911"}, "emergency"),
        ({"number": "+4930123456"}, "malformed"),
        ({"kind": "external", "number": "+112"}, "emergency"),
        ({"kind": "external", "number": "+4930123456", "enabled": False}, "disabled"),
    ],
)
def test_policy(acme: Tenant, values: dict[str, object], reason: str) -> None:
    """Whatever stands in the row, the policy is asked."""
    with tenant_context(acme.domain_uuid):
        Destination.objects.update(**values)
    assert refusal(acme, acme.call().call_uuid, acme.sales.destination_uuid) == reason


def test_external_destination_of_an_administrator(acme: Tenant) -> None:
    """A stored, enabled external number is put through."""
    with tenant_context(acme.domain_uuid):
        Destination.objects.update(kind="external", number="+4930123456")
    assert ask(acme, acme.call().call_uuid, acme.sales.destination_uuid)
