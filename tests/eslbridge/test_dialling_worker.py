"""What the policy said is what goes to the switch: the number in its one form, and FusionPBX's class for it."""

from __future__ import annotations

from typing import Any

import pytest

from eslbridge.dialling import save_rules
from eslbridge.models import Job
from eslbridge.selectors import esl_endpoint
from eslbridge.tasks import run_job
from eslbridge.work import originating
from secretary.services.destinations import create_destination
from tenants.context import tenant_context
from tests.cast import Tenant
from tests.eslbridge.test_jobs_runner import RecordingSwitch, new, run


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_job, "apply_async", lambda *_, **__: None)


def transfer(tenant: Tenant, number: str, **call: Any) -> tuple[list[str], tuple[str, str] | None]:
    """Send a caller to a public number: what the switch heard of it, without the UUID, and how the job ended."""
    call_uuid = tenant.call(**call).call_uuid
    job = new(tenant, call_uuid=call_uuid, arguments={"number": number, "kind": "external"})
    ended = run(job, switch := RecordingSwitch())
    return [line.replace(f" {call_uuid}", "") for line in switch.lines], ended


def test_the_form_of_the_domains_routes(acme: Tenant) -> None:
    """However it was stored; and the row keeps what was wanted."""
    with tenant_context(acme.domain_uuid):
        create_destination(name="Lawyer", number="+4930123456", kind="external")
    save_rules(domain_uuid=acme.domain_uuid, country="DE", outside_prefix="0", dial_as="national")
    lines, ended = transfer(acme, "+4930123456")
    assert ended == ("done", "") and lines[-1] == "uuid_transfer 0030123456 XML acme.example"
    assert not [line for line in lines if "toll_allow" in line], "no classes are used here"
    with tenant_context(acme.domain_uuid):
        assert Job.objects.get().arguments == {"number": "+4930123456", "kind": "external"}


@pytest.mark.parametrize(
    ("of_caller", "of_domain", "granted"),
    [("local,domestic", "", "domestic"), ("", "domestic,international", "domestic"), ("", "", None)],
)
def test_the_class_for_this_number(acme: Tenant, of_caller: str, of_domain: str, granted: str | None) -> None:
    """The class that the number needs is set on the leg, and no more, where the caller or the domain has it."""
    save_rules(domain_uuid=acme.domain_uuid, external_allowed=True, toll_allow=of_domain)
    lines, ended = transfer(acme, "2125551234", toll_allow=of_caller)
    assert ended == ("done", "")
    assert [line for line in lines if "toll_allow" in line] == (
        [f"uuid_setvar toll_allow '{granted}'"] if granted else []
    )


def test_refused_at_the_last_moment(acme: Tenant) -> None:
    """A rule that was changed while the job waited still holds; the job says why."""
    save_rules(domain_uuid=acme.domain_uuid, external_allowed=True)
    call = acme.call(toll_allow="local")
    job = new(acme, call_uuid=call.call_uuid, arguments={"number": "2125551234", "kind": "external"})
    ended = run(job, switch := RecordingSwitch())
    assert ended == ("not_allowed", "toll_allow toll_allow lacks domestic")
    assert switch.endpoints == []


@pytest.mark.parametrize(("of_domain", "granted"), [("local,domestic", "domestic"), ("", None)])
def test_the_class_of_an_originate(acme: Tenant, of_domain: str, granted: str | None) -> None:
    """A telephone that is to be connected outside gets the class, too; what stands in the row is not believed."""
    save_rules(domain_uuid=acme.domain_uuid, external_allowed=True, toll_allow=of_domain)
    wanted = {
        "number": "1001",
        "then": "dial",
        "to": "2125551234",
        "to_kind": "external",
        "toll_allow": "international",
    }
    job = new(acme, "originate", arguments=wanted)
    assert originating.refuse(job) is None
    endpoint = esl_endpoint(domain_uuid=acme.domain_uuid)
    assert endpoint is not None
    assert originating.variables(job, originating.Wish.of(job), endpoint).get("toll_allow") == granted
