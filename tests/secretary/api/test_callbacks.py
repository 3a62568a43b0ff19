"""Callbacks and calling out by API: what is asked for, what is refused and why, and what becomes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from eslbridge import dialling
from eslbridge.models import Job
from eslbridge.tasks import run_job
from tenants.context import tenant_context
from tenants.models import AuditEvent
from tests.cast import Tenant, acme, globex, make_tenant
from tests.secretary.api.client import Api, bearer, domain_key

__all__ = ["acme", "globex"]


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_job, "apply_async", lambda arguments: None)


@pytest.fixture
def us(db: None) -> Tenant:
    """A tenant that may call its own country."""
    us = make_tenant("us.example")
    dialling.save_rules(domain_uuid=us.domain_uuid, external_allowed=True)
    return us


@pytest.fixture
def api(us: Tenant) -> Api:
    return bearer(domain_key(us.domain_uuid))


def wish(us: Tenant, **about: Any) -> dict[str, Any]:
    return {"number": "+14155550100", "name": "Ana", "destination_uuid": str(us.sales.pk), "consent": {}, **about}


def test_from_wish_to_job(us: Tenant, api: Api) -> None:
    """Asked for, placed at once, its job and history to be read, taken back: and each is on record."""
    where = f"domains/{us.domain_uuid}/callbacks"
    made = api.post(where, wish(us, reason="Her order", consent={"by": "shop form"}))
    assert made.status_code == 201, made.content
    row = made.json()
    assert (row["state"], row["consent_how"], row["consent_by"], row["attempts"]) == ("waiting", "api", "shop form", 0)
    assert made["Location"].endswith(row["callback_uuid"])
    one = f"{where}/{row['callback_uuid']}"
    placed = api.post(f"{one}/place", {})
    assert placed.status_code == 202, placed.content
    job = placed.json()
    assert (job["kind"], job["arguments"]["to"], job["state"]) == ("originate", "+14155550100", "queued")
    assert api.post(f"{one}/place", {}).status_code == 409
    shown = api.get(one).json()
    assert (shown["state"], shown["attempts"], shown["history"][0]["job_uuid"]) == ("running", 1, job["job_uuid"])
    assert api.patch(one, {"name": "Bea"}, If_Match="*").status_code == 409
    assert api.delete(one, If_Match="*").status_code == 204
    assert api.get(one).json()["state"] == "cancelled"
    assert api.get(f"domains/{us.domain_uuid}/jobs/{job['job_uuid']}").json()["state"] == "cancelled"
    assert api.delete(one, If_Match="*").status_code == 409
    assert [row["state"] for row in api.get(f"{where}?state=cancelled").json()["items"]] == ["cancelled"]
    assert api.get(f"{where}?state=waiting").json()["items"] == []
    with tenant_context(us.domain_uuid):
        actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"callback.created", "callback.placed", "callback.cancelled"} <= actions


@pytest.mark.parametrize(
    ("about", "field", "code"),
    [
        ({"consent": None}, "consent", "null"),
        ({"number": "911"}, "number", "emergency"),
        ({"number": "+19005550100"}, "number", "premium"),
        ({"number": "+4930123456"}, "number", "country"),
        ({"number": "10\n01"}, "number", "invalid"),
        ({"number": "${system}"}, "number", "invalid"),
        ({"destination_uuid": str(uuid4())}, "destination_uuid", "does_not_exist"),
        ({"not_after": "2020-01-01T00:00:00Z"}, "not_after", "too_late"),
        ({"max_attempts": 0}, "max_attempts", "min_value"),
        ({"state": "done"}, "state", "immutable"),
        ({"caller_id_number": "+1"}, "caller_id_number", "unknown_field"),
    ],
)
def test_refused(about: dict[str, Any], field: str, code: str, us: Tenant, api: Api) -> None:
    """The field, and why; whoever calls may not choose the number that is shown."""
    answer = api.post(f"domains/{us.domain_uuid}/callbacks", wish(us, **about))
    assert answer.status_code == 400, answer.content
    assert (answer.json()["errors"][0]["field"], answer.json()["errors"][0]["code"]) == (field, code)


def test_no_consent_no_callback(us: Tenant, api: Api) -> None:
    """Left out is not given."""
    body = wish(us)
    del body["consent"]
    answer = api.post(f"domains/{us.domain_uuid}/callbacks", body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "no_consent")


def test_changed_by_version(us: Tenant, api: Api) -> None:
    """The ETag that was read, or 412; what is fixed stays; done by hand is done."""
    where = f"domains/{us.domain_uuid}/callbacks"
    made = api.post(where, wish(us), Idempotency_Key="k1")
    again = api.post(where, wish(us), Idempotency_Key="k1")
    assert made.json() == again.json() and len(api.get(where).json()["items"]) == 1
    one, tag = f"{where}/{made.json()['callback_uuid']}", made["ETag"]
    later = (timezone.now() + timedelta(hours=5)).isoformat()
    assert api.patch(one, {"not_before": later}).status_code == 428
    changed = api.patch(one, {"not_before": later, "destination_uuid": None}, If_Match=tag)
    assert changed.status_code == 200, changed.content
    assert changed.json()["next_attempt_at"] == changed.json()["not_before"]
    assert api.patch(one, {"name": "Bea"}, If_Match=tag).status_code == 412
    answer = api.patch(one, {"number": "+14155550101"}, If_Match="*")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "immutable")
    assert api.post(f"{one}/place", {}).json()["errors"][0]["code"] == "nobody"
    assert api.patch(one, {"state": "running"}, If_Match="*").status_code == 400
    assert api.patch(one, {"state": "done"}, If_Match="*").json()["outcome"] == "by_hand"


def test_calling_out(us: Tenant, api: Api) -> None:
    """An agent's telephone first, then the customer; or a telephone and a secretary. The domain's number is shown."""
    rules = f"domains/{us.domain_uuid}/calling-rules"
    assert api.get(rules).status_code == 404
    assert api.put(rules, {"caller_id_number": "+14155550199", "earliest": "09:30"}).json()["earliest"] == "09:30"
    where = f"domains/{us.domain_uuid}/jobs"
    click = api.post(where, {"kind": "originate", "number": "1001", "to": "+14155550100", "name": "Ana"})
    assert click.status_code == 202, click.content
    arguments = click.json()["arguments"]
    assert (arguments["number"], arguments["then"], arguments["to"]) == ("1001", "dial", "+14155550100")
    assert (arguments["caller_id_number"], arguments["shown_name"]) == ("+14155550199", "Ana")
    for number, kind in (("1002", "extension"), ("+14155550100", "external")):
        test = api.post(where, {"kind": "originate", "number": number, "secretary_uuid": str(us.secretary.pk)})
        arguments = test.json()["arguments"]
        assert (arguments["then"], arguments["to"], arguments["kind"]) == ("secretary", "8001", kind)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"number": "+14155550100", "to": "+14155550101"}, "to", "malformed"),
        ({"number": "1001", "to": "911"}, "to", "emergency"),
        ({"number": "1001", "to": "8001"}, "to", "secretary_loop"),
        ({"number": "1001", "secretary_uuid": str(uuid4())}, "secretary_uuid", "does_not_exist"),
        ({"number": "1001", "to": "1002", "secretary_uuid": str(uuid4())}, "secretary_uuid", "unknown_field"),
        ({"number": "1001", "caller_id_number": "+1"}, "caller_id_number", "unknown_field"),
    ],
)
def test_calls_that_are_refused(body: dict[str, str], field: str, code: str, us: Tenant, api: Api) -> None:
    """Two numbers outside would make the domain somebody's exchange."""
    answer = api.post(f"domains/{us.domain_uuid}/jobs", {"kind": "originate", **body})
    assert answer.status_code == 400, answer.content
    assert (answer.json()["errors"][0]["field"], answer.json()["errors"][0]["code"]) == (field, code)
    with tenant_context(us.domain_uuid):
        assert not Job.objects.exists()


def test_tenants_never_meet(us: Tenant, globex: Tenant, api: Api) -> None:
    """Globex's secretary, destination and callback are none of ours."""
    theirs = bearer(domain_key(globex.domain_uuid))
    made = theirs.post(f"domains/{globex.domain_uuid}/callbacks", {"number": "1001", "consent": {}}).json()
    one = f"domains/{us.domain_uuid}/callbacks/{made['callback_uuid']}"
    assert api.get(one).status_code == 404
    assert api.post(f"{one}/place", {}).status_code == 404
    assert api.get(f"domains/{globex.domain_uuid}/callbacks").status_code == 404
    body = wish(us, destination_uuid=str(globex.sales.pk))
    assert api.post(f"domains/{us.domain_uuid}/callbacks", body).status_code == 400
    call = {"kind": "originate", "number": "1001", "secretary_uuid": str(globex.secretary.pk)}
    assert api.post(f"domains/{us.domain_uuid}/jobs", call).status_code == 400
