"""Idempotency-Key: the same request twice happens once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from eslbridge.models import Job
from secretary.api import idempotency
from secretary.api.models import IdempotentRequest, InstallationRequest
from secretary.models import Secretary
from secretary.services import secretaries
from tenants.context import platform_context, tenant_context
from tests.cast import Tenant, make_tenant
from tests.secretary.api.client import Api, bearer, domain_key

NIGHT = {"name": "Night"}


def count(tenant: Tenant, name: str = "Night") -> int:
    with tenant_context(tenant.domain_uuid):
        return Secretary.objects.filter(name=name).count()


def test_the_same_again_is_the_same_answer(acme: Tenant, api: Api) -> None:
    """Body, status, ETag and Location; marked as replayed; made once."""
    where = f"domains/{acme.domain_uuid}/secretaries"
    first = api.post(where, NIGHT, Idempotency_Key="a")
    again = api.post(where, b'{ "name" : "Night" }', Idempotency_Key="a")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert (first["ETag"], first["Location"]) == (again["ETag"], again["Location"])
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert count(acme) == 1
    assert api.post(where, NIGHT, Idempotency_Key="b").status_code == 201
    assert count(acme) == 2


def test_another_body_under_the_same_key(acme: Tenant, api: Api) -> None:
    """422, and nothing happens; so it is for another address."""
    where = f"domains/{acme.domain_uuid}/secretaries"
    assert api.post(where, NIGHT, Idempotency_Key="a").status_code == 201
    other = api.post(where, {"name": "Day"}, Idempotency_Key="a")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert api.post(f"domains/{acme.domain_uuid}/destinations", NIGHT, Idempotency_Key="a").status_code == 422
    assert count(acme, "Day") == 0


def test_keys_of_two_clients_do_not_meet(acme: Tenant, globex: Tenant, api: Api) -> None:
    """Neither those of two domains nor those of two keys of one domain."""
    where = f"domains/{acme.domain_uuid}/secretaries"
    theirs = bearer(domain_key(globex.domain_uuid))
    assert api.post(where, NIGHT, Idempotency_Key="a").status_code == 201
    assert theirs.post(f"domains/{globex.domain_uuid}/secretaries", NIGHT, Idempotency_Key="a").status_code == 201
    assert bearer(domain_key(acme.domain_uuid)).post(where, {"name": "Day"}, Idempotency_Key="a").status_code == 201


def test_a_mistake_is_not_kept(acme: Tenant, api: Api) -> None:
    """Nothing was done, so the mended request may use the same key."""
    where = f"domains/{acme.domain_uuid}/secretaries"
    assert api.post(where, {"name": ""}, Idempotency_Key="a").status_code == 400
    assert api.post(where, NIGHT, Idempotency_Key="a").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "ü", "a\tb"])
def test_unusable_keys(acme: Tenant, api: Api, key: str) -> None:
    """1 to 255 printable ASCII characters."""
    answer = api.post(f"domains/{acme.domain_uuid}/secretaries", NIGHT, Idempotency_Key=key)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


def test_a_job_is_asked_for_once(acme: Tenant, api: Api) -> None:
    """A phone that rings twice is worse than one that does not ring."""
    where, body = f"domains/{acme.domain_uuid}/jobs", {"kind": "originate", "number": "1001"}
    first, again = (api.post(where, body, Idempotency_Key="a").json() for _ in range(2))
    assert first["job_uuid"] == again["job_uuid"]
    with tenant_context(acme.domain_uuid):
        assert Job.objects.count() == 1


def test_a_key_is_not_shown_twice(acme: Tenant, api: Api, operator: Api) -> None:
    """The repeated answer has no token: it is stored nowhere, also not here."""
    body = {"name": "CRM", "scopes": ["calls:read"]}
    for who, where in ((api, f"domains/{acme.domain_uuid}/api-keys"), (operator, "api-keys")):
        first, again = (who.post(where, body, Idempotency_Key="a").json() for _ in range(2))
        assert first["token"]
        assert {**first, "token": None} == again
    with tenant_context(acme.domain_uuid):
        assert "vsd_" not in IdempotentRequest.objects.get().body
    with platform_context():
        assert "vsi_" not in InstallationRequest.objects.get().body


def test_old_answers_are_forgotten(acme: Tenant, api: Api) -> None:
    """After 48 h the key is free, and the sweeper deletes the row."""
    where = f"domains/{acme.domain_uuid}/secretaries"
    api.post(where, NIGHT, Idempotency_Key="a")
    old = timezone.now() - idempotency.KEPT - timedelta(seconds=1)
    with tenant_context(acme.domain_uuid):
        IdempotentRequest.objects.update(created_at=old)
    assert "Idempotency-Replayed" not in api.post(where, NIGHT, Idempotency_Key="a")
    assert idempotency.sweep() == 0
    with tenant_context(acme.domain_uuid):
        IdempotentRequest.objects.update(created_at=old)
    assert idempotency.sweep() == 1


def test_many_domains_at_once_are_remembered_too(operator: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bulk endpoint is many transactions, so its key is claimed first and answered in the end."""
    body = {"domains": [{"domain_uuid": "11111111-1111-4111-8111-111111111111", "name": "initech.example"}]}
    first, again = (operator.post("provision", body, Idempotency_Key="a") for _ in range(2))
    assert first.json() == again.json()
    assert first.json()["items"][0]["result"] == "created"
    assert again["Idempotency-Replayed"] == "true"
    assert operator.post("provision", {"domains": [{}]}, Idempotency_Key="a").status_code == 422
    # A process that died in the middle has left a claim: it holds for ten minutes, and then no longer.
    with platform_context():
        InstallationRequest.objects.update(status=0, body="")
    assert operator.post("provision", body, Idempotency_Key="a").status_code == 409
    with platform_context():
        InstallationRequest.objects.update(created_at=timezone.now() - idempotency.CLAIM_LASTS)
    assert operator.post("provision", body, Idempotency_Key="a").json()["items"][0]["result"] == "unchanged"
    # A mistake leaves nothing behind.
    assert operator.post("provision", {"domains": []}, Idempotency_Key="b").status_code == 400
    assert operator.post("provision", body, Idempotency_Key="b").status_code == 200


def in_threads(*calls: Any) -> list[Any]:
    """Run at once; each thread gives its connection back."""

    def run(call: Any) -> Any:
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.django_db(transaction=True)
def test_two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the first is being worked on, the second gets 409; afterwards it gets the first one's answer."""
    acme = make_tenant("acme.example")
    token = domain_key(acme.domain_uuid)
    where = f"domains/{acme.domain_uuid}/secretaries"
    inside, go_on = threading.Event(), threading.Event()
    store = secretaries._store

    def slow(*args: Any) -> Any:
        inside.set()
        assert go_on.wait(10)
        return store(*args)

    monkeypatch.setattr(secretaries, "_store", slow)

    def first() -> Any:
        return bearer(token).post(where, NIGHT, Idempotency_Key="a")

    def second() -> Any:
        assert inside.wait(10)
        try:
            return bearer(token).post(where, NIGHT, Idempotency_Key="a")
        finally:
            go_on.set()

    one, two = in_threads(first, second)
    assert (one.status_code, two.status_code) == (201, 409)
    assert two.json()["code"] == "in_progress"
    assert bearer(token).post(where, NIGHT, Idempotency_Key="a").json() == one.json()
    assert count(acme) == 1


@pytest.mark.django_db(transaction=True)
def test_many_at_once() -> None:
    """Ten threads, one key: one object, and every answer is that object's or 409."""
    acme = make_tenant("acme.example")
    token = domain_key(acme.domain_uuid)
    where = f"domains/{acme.domain_uuid}/secretaries"
    answers = in_threads(*[lambda: bearer(token).post(where, NIGHT, Idempotency_Key="a")] * 10)
    assert {answer.status_code for answer in answers} <= {201, 409}
    made = {answer.json()["secretary_uuid"] for answer in answers if answer.status_code == 201}
    assert len(made) == count(acme) == 1


@pytest.mark.django_db(transaction=True)
def test_of_ten_writers_of_one_version_one_wins() -> None:
    """All have read the same ETag: one PATCH gets 200, nine get 412, and the one's work stands."""
    acme = make_tenant("acme.example")
    token = domain_key(acme.domain_uuid)
    where = f"domains/{acme.domain_uuid}/secretaries/{acme.secretary.pk}"
    tag = bearer(token).get(where)["ETag"]
    writers = [lambda n=n: bearer(token).patch(where, {"greeting": f"Hello {n}"}, If_Match=tag) for n in range(10)]
    answers = in_threads(*writers)
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 9
    (winner,) = [answer for answer in answers if answer.status_code == 200]
    assert bearer(token).get(where).json() == winner.json()


@pytest.mark.django_db(transaction=True)
def test_of_ten_upserts_none_is_lost() -> None:
    """Ten PUTs of one new UUID at once: one makes, nine replace, none fails."""
    acme = make_tenant("acme.example")
    token = domain_key(acme.domain_uuid)
    where = f"domains/{acme.domain_uuid}/secretaries/{'0' * 8}-0000-4000-8000-{'0' * 12}"
    answers = in_threads(*[lambda n=n: bearer(token).put(where, {"name": f"N{n}"}) for n in range(10)])
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
