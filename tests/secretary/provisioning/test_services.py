"""Speech services in a document: keys, and chains that name them."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command

from secretary.models import ProviderCredential, Secretary
from secretary.selectors.speech_chain import speech_of
from tenants.context import tenant_context
from tenants.models import AuditEvent
from tests.cast import Tenant, make_tenant
from tests.secretary.api.client import Api, bearer, installation_key

KEY = "sk-provisioned-0123-wxyz"
SERVICES = [
    {"provider": "openai-realtime", "label": "Main", "api_key": KEY, "options": {"speed": 1.1}},
    {"provider": "pipeline", "label": "House", "keys": {"stt_key": KEY}, "options": {"stt": "deepgram"}},
]
CHAIN = [{"provider": "openai-realtime", "credential": "Main", "voice": "marin"}, {"provider": "pipeline"}]


@pytest.fixture
def acme(db: None) -> Tenant:
    return make_tenant("acme.example")


@pytest.fixture
def operator(db: None) -> Api:
    return bearer(installation_key())


def put(operator: Api, tenant: Tenant, **document: Any) -> Any:
    return operator.put(f"domains/{tenant.domain_uuid}/provision", document)


def test_keys_and_chains(acme: Tenant, operator: Api) -> None:
    """Made together; the second time nothing changes; no answer and no record has a key."""
    name = acme.secretary.name
    document = {"providers": SERVICES, "secretaries": [{"name": name, "chain": CHAIN}]}
    first, again = put(operator, acme, **document), put(operator, acme, **document)
    assert (first.status_code, first.json()["result"], again.json()["result"]) == (200, "changed", "unchanged")
    assert KEY not in first.content.decode()
    openai, pipeline, local = speech_of(acme.profile()).steps
    assert (openai.access.api_key, openai.voice, openai.access.option("speed")) == (KEY, "marin", "1.1")
    assert (pipeline.access.option("stt_key"), local.provider) == (KEY, "local")
    with tenant_context(acme.domain_uuid):
        assert [row.key_hint for row in ProviderCredential.objects.order_by("label")] == ["", "wxyz"]
        assert KEY not in str(list(AuditEvent.objects.values_list("old", "new")))
    put(operator, acme, providers=SERVICES[:1], secretaries=[{"name": name, "chain": CHAIN[:1]}], prune=True)
    with tenant_context(acme.domain_uuid):
        assert ProviderCredential.objects.count() == 1 and Secretary.objects.get().provider == "openai-realtime"


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"providers": [{"provider": "nobody", "label": "x"}]}, "providers[0].options"),
        ({"providers": [{**SERVICES[0], "options": {"speed": 9}}]}, "providers[0].options"),
        ({"providers": [{**SERVICES[0], "base_url": "https://10.0.0.1/"}]}, "providers[0].base_url"),
        ({"providers": [{"provider": "openai-realtime", "label": "x"}]}, "providers[0].api_key"),
        ({"secretaries": [{"name": "New", "chain": [{"provider": "nobody"}]}]}, "secretaries[0].chain[0].provider"),
        ({"secretaries": [{"name": "New", "chain": CHAIN}]}, "secretaries[0].chain[0].credential"),
        ({"secretaries": [{"name": "New", "chain": [{"provider": "local"}, CHAIN[1]]}]}, "secretaries[0].chain"),
    ],
)
def test_complaints_have_a_path(acme: Tenant, operator: Api, document: dict[str, Any], path: str) -> None:
    """What cannot be is told with its place in the document, and nothing is written."""
    refused = put(operator, acme, **document)
    assert refused.status_code in (400, 422), refused.json()
    assert path in [error["field"] for error in refused.json()["errors"]], refused.json()
    with tenant_context(acme.domain_uuid):
        assert not ProviderCredential.objects.exists() and Secretary.objects.count() == 1


def test_a_key_does_not_move_with_a_document(acme: Tenant, operator: Api) -> None:
    """Another address without the key is refused, and another tenant's key cannot be named."""
    put(operator, acme, providers=SERVICES[:1])
    moved = {"provider": "openai-realtime", "label": "Main", "base_url": "https://evil.example/v1"}
    refused = put(operator, acme, providers=[moved])
    assert [error["field"] for error in refused.json()["errors"]] == ["providers[0].api_key"]
    globex = make_tenant("globex.example")
    with tenant_context(acme.domain_uuid):
        theirs = str(ProviderCredential.objects.get().pk)
    chain = [{"provider": "openai-realtime", "credential_uuid": theirs}]
    refused = put(operator, globex, secretaries=[{"name": globex.secretary.name, "chain": chain}])
    assert [error["field"] for error in refused.json()["errors"]] == ["secretaries[0].chain[0].credential_uuid"]


def test_from_a_file(acme: Tenant, tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run shows what would change, without the keys."""
    file = tmp_path / "acme.yaml"
    file.write_text(
        f"domains:\n- domain_uuid: {acme.domain_uuid}\n  providers:\n"
        f"  - provider: openai-realtime\n    label: Main\n    api_key: {KEY}\n"
    )
    call_command("provision", str(file), "--dry-run")
    shown = capsys.readouterr().out
    assert "+ speech service openai-realtime Main" in shown and KEY not in shown
