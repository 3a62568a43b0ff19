"""Speech services over the API: keys that go in and never come out, chains, and trying one out."""

from __future__ import annotations

from uuid import uuid4

from django.conf import LazySettings

from secretary.models import ProviderCredential
from tenants.context import tenant_context
from tenants.models import AuditEvent
from tests.cast import Tenant
from tests.receiver import answer, receiving
from tests.secretary.api.client import Api

KEY = "sk-acme-0123456789-abcd"


def test_keys_go_in_and_never_come_out(acme: Tenant, api: Api) -> None:
    """No answer of any verb has a key in it; what is left out of a PATCH stays."""
    where = f"domains/{acme.domain_uuid}/providers"
    made = api.post(
        where, {"provider": "pipeline", "api_key": KEY, "keys": {"stt_key": KEY}, "options": {"llm_timeout": 3}}
    )
    assert made.status_code == 201, made.json()
    one = f"{where}/{made.json()['credential_uuid']}"
    changed = api.patch(one, {"label": "main"}, If_Match=made["ETag"])
    again = api.put(one, {**changed.json(), "options": {"llm_timeout": "4"}}, If_Match=changed["ETag"])
    for reply in (made, changed, again, api.get(one), api.get(where)):
        assert reply.status_code in (200, 201) and KEY not in reply.content.decode()
    assert (again.json()["key_hint"], again.json()["keys_set"]) == ("abcd", ["stt_key"])
    assert again.json()["options"] == {"llm_timeout": "4"}
    with tenant_context(acme.domain_uuid):
        row = ProviderCredential.objects.get()
        assert (row.api_key, row.secret_options()) == (KEY, {"stt_key": KEY})
        assert KEY not in str(list(AuditEvent.objects.values_list("old", "new")))


def test_complaints_name_the_field(acme: Tenant, api: Api) -> None:
    """Field, reason and mend, as everywhere."""
    where = f"domains/{acme.domain_uuid}/providers"
    for body, field in (
        ({"provider": "nobody", "api_key": KEY}, "provider"),
        ({"provider": "openai-realtime"}, "api_key"),
        ({"provider": "openai-realtime", "api_key": KEY, "base_url": "https://10.0.0.1/"}, "base_url"),
        ({"provider": "openai-realtime", "api_key": KEY, "options": {"speed": 9}}, "options"),
        ({"provider": "openai-realtime", "api_key": KEY, "options": []}, "options"),
    ):
        reply = api.post(where, body)
        assert reply.status_code in (400, 422) and reply.json()["errors"][0]["field"] == field, reply.json()
        assert KEY not in reply.content.decode()


def test_a_chain(acme: Tenant, globex: Tenant, api: Api) -> None:
    """A secretary's chain names services and keys of its own domain, and a key in use is not deleted."""
    where = f"domains/{acme.domain_uuid}/providers"
    made = api.post(where, {"provider": "openai-realtime", "api_key": KEY})
    uuid = made.json()["credential_uuid"]
    secretary = f"domains/{acme.domain_uuid}/secretaries/{acme.secretary.pk}"
    chain = [{"provider": "openai-realtime", "credential_uuid": uuid, "voice": "marin"}, {"provider": "pipeline"}]
    changed = api.patch(secretary, {"chain": chain}, If_Match="*")
    assert changed.status_code == 200, changed.json()
    assert changed.json()["provider"] == "openai-realtime"
    assert [entry["credential_uuid"] for entry in changed.json()["chain"]] == [uuid, None]
    assert api.put(secretary, api.get(secretary).json()).status_code == 200
    assert api.delete(f"{where}/{uuid}", If_Match="*").status_code == 409
    chain[0]["credential_uuid"] = str(uuid4())
    refused = api.patch(secretary, {"chain": chain}, If_Match="*")
    assert refused.json()["errors"][0]["field"].startswith("chain")


def test_trying_one_out(acme: Tenant, api: Api, settings: LazySettings) -> None:
    """It says whether the key is accepted; of what it may not connect to it tells nothing; and not for ever."""
    with receiving() as server:
        settings.EGRESS_ALLOW = [f"127.0.0.1:{server.port}"]
        with tenant_context(acme.domain_uuid):
            row = ProviderCredential.objects.create(
                provider="openai-realtime", api_key=KEY, base_url=f"http://127.0.0.1:{server.port}/v1"
            )
        where = f"domains/{acme.domain_uuid}/providers/{row.pk}/test"
        server.then(answer(401, KEY.encode()))
        tried = api.post(where).json()
        assert tried["outcome"] == "auth" and KEY not in str(tried)
        settings.EGRESS_ALLOW = []
        hidden = [api.post(where).json()["detail"]]
    hidden.append(api.post(where).json()["detail"])
    assert hidden[0] == hidden[1]  # somebody listened there, and then nobody
    outcomes = [api.post(where).json()["outcome"] for _ in range(9)]
    assert outcomes[-1] == "too_often"
    with tenant_context(acme.domain_uuid):
        assert AuditEvent.objects.filter(action="providercredential.tested").count() == 12


def test_the_installations_keys(acme: Tenant, api: Api, operator: Api) -> None:
    """The operator's alone; an internal address is theirs to give; no answer has a key."""
    where = "providers/openai-realtime"
    assert api.put(where, {"api_key": KEY}).status_code == 403
    made = operator.put(where, {"api_key": KEY, "base_url": "http://10.0.0.5:8000/v1", "options": {"speed": 1.2}})
    assert made.status_code == 201, made.json()
    again = operator.put(where, {**made.json()}, If_Match=made["ETag"])
    assert (again.status_code, again.json()["key_hint"]) == (200, "abcd")
    for reply in (made, again, operator.get(where), operator.get("providers")):
        assert KEY not in reply.content.decode()
    assert operator.put(where, {"options": {"speed": 99}}).json()["errors"][0]["field"] == "options"
    assert [operator.get(f"providers/{name}").status_code for name in ("local", "nobody", "pipeline")] == [404] * 3
    assert operator.delete(where).status_code == 428 and operator.delete(where, If_Match="*").status_code == 204
