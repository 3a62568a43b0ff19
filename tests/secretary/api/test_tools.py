"""Tools, prompts, what is remembered, quota, data rules and requests about callers over the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from secretary.models import CallerRequest, Secretary
from secretary.services import caller_requests
from secretary.tools.models import CallerFact, HttpTool
from tenants.context import tenant_context
from tenants.quotas import quota_of, rules_of
from tests.cast import Tenant
from tests.receiver import answer, receiving
from tests.secretary.api.client import Api, bearer, domain_key

PARAMETERS = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}
TOOL: dict[str, Any] = {
    "name": "find_order",
    "description": "Finds an order.",
    "url": "https://crm.example.com/orders/{order}",
    "parameters": PARAMETERS,
}


def test_secrets_go_in_and_not_out(acme: Tenant, api: Api) -> None:
    """The signing secret is shown where it is made, headers never; neither in lists, errors or repeated answers."""
    listed = f"domains/{acme.domain_uuid}/tools"
    body = {**TOOL, "headers": {"X-Api-Key": "very-secret"}}
    made = api.post(listed, body, Idempotency_Key="a").json()
    assert made["secret"].startswith("whsec_") and made["has_headers"] and "headers" not in made
    assert api.post(listed, body, Idempotency_Key="a").json()["secret"] is None
    where = f"{listed}/{made['tool_uuid']}"
    shown = api.get(where).content.decode() + api.get(listed).content.decode()
    assert "very-secret" not in shown and made["secret"] not in shown
    new = api.post(f"{where}/rotate", {"overlap_s": 60}).json()
    assert new["secret"] not in (None, made["secret"])
    with tenant_context(acme.domain_uuid):
        tool = HttpTool.objects.get()
        assert tool.previous_secret == made["secret"] and tool.headers() == {"X-Api-Key": "very-secret"}
    audit = api.get(f"domains/{acme.domain_uuid}/audit").content.decode()
    assert "very-secret" not in audit and new["secret"] not in audit


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "https://10.0.0.1/"),
        ("url", "https://crm.example.com/{colour}"),
        ("parameters", {"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}}),
        ("parameters", []),
        ("headers", {"Host": "x"}),
        ("name", "transfer"),
    ],
)
def test_what_is_refused(acme: Tenant, api: Api, field: str, value: Any) -> None:
    """By field, where it is written."""
    refused = api.post(f"domains/{acme.domain_uuid}/tools", {**TOOL, field: value})
    assert refused.status_code == 400 and refused.json()["errors"][0]["field"].startswith(field)


def test_chosen_by_a_secretary(acme: Tenant, globex: Tenant, api: Api) -> None:
    """By name; one that is another tenant's, or nobody's, is not."""
    api.post(f"domains/{acme.domain_uuid}/tools", TOOL)
    where = f"domains/{acme.domain_uuid}/secretaries/{acme.secretary.pk}"
    assert api.patch(where, {"tools": ["transfer", "find_order"]}, If_Match="*").json()["tools"][1] == "find_order"
    assert api.patch(where, {"tools": ["find_nothing"]}, If_Match="*").status_code == 400
    theirs = bearer(domain_key(globex.domain_uuid))
    there = f"domains/{globex.domain_uuid}/secretaries/{globex.secretary.pk}"
    assert theirs.patch(there, {"tools": ["find_order"]}, If_Match="*").status_code == 400


def test_tried_out(acme: Tenant, api: Api, settings: Any) -> None:
    """Really sent; shown as a model would be told."""
    with receiving(answer(200, b'{"status": "on its way"}', ["Content-Type: application/json"])) as server:
        settings.EGRESS_ALLOW = [f"127.0.0.1:{server.port}"]
        body = {**TOOL, "url": server.url("/o/{order}"), "result_path": "status"}
        made = api.post(f"domains/{acme.domain_uuid}/tools", body).json()
        where = f"domains/{acme.domain_uuid}/tools/{made['tool_uuid']}/try"
        tried = api.post(where, {"arguments": {"order": "17"}}).json()
        assert tried["outcome"] == "ok" and "on its way" in tried["detail"] and tried["duration_ms"] < 2_000
        assert server.received[0].path == "/o/17"
        assert api.post(where, {}).json()["outcome"] == "invalid_arguments"
        assert len(server.received) == 1


def test_prompts(acme: Tenant, api: Api) -> None:
    """Written, it is live; its text stays; an earlier one can be live again; a change of the secretary is one, too."""
    listed = f"domains/{acme.domain_uuid}/prompts"
    first = api.post(listed, {"secretary_uuid": str(acme.secretary.pk), "text": "One.", "name": "Winter"}).json()
    secretary = f"domains/{acme.domain_uuid}/secretaries/{acme.secretary.pk}"
    assert api.get(secretary).json()["prompt"] == "One."
    api.patch(secretary, {"prompt": "Two."}, If_Match="*")
    assert [(one["number"], one["text"]) for one in api.get(listed).json()["items"]] == [(2, "Two."), (1, "One.")]
    where = f"{listed}/{first['version_uuid']}"
    assert api.patch(where, {"text": "Three."}, If_Match="*").status_code == 400
    assert api.patch(where, {"name": "Cold"}, If_Match="*").json()["name"] == "Cold"
    assert api.patch(where, {"name": "x"}, If_Match='"stale"').status_code == 412
    assert api.post(f"{where}/restore").json()["number"] == 3
    assert api.get(secretary).json()["prompt"] == "One."
    assert api.post(listed, {"secretary_uuid": str(uuid4()), "text": "x"}).status_code == 400
    assert api.get(f"{listed}?secretary_uuid={uuid4()}").json()["items"] == []


def test_what_is_remembered(acme: Tenant, globex: Tenant, api: Api) -> None:
    """Read by number in any way of writing it, erased one by one or all at once; another tenant's is not there."""
    for tenant in (acme, globex):
        with tenant_context(tenant.domain_uuid):
            for text in ("Prefers mornings", "Has a dog"):
                CallerFact.objects.create(number="15550100199", text=text)
    listed = f"domains/{acme.domain_uuid}/caller-facts"
    items = api.get(f"{listed}?number=555%20010%200199").json()["items"]
    assert [one["text"] for one in items] == ["Has a dog", "Prefers mornings"]
    assert api.delete(f"{listed}/{items[0]['fact_uuid']}", If_Match="*").status_code == 204
    assert api.post(f"{listed}/forget", {"number": "+1 555 010 0199"}).json() == {"facts": 1}
    with tenant_context(globex.domain_uuid):
        theirs = CallerFact.objects.first()
        assert theirs is not None and CallerFact.objects.count() == 2
    assert api.get(f"{listed}/{theirs.pk}").status_code == 404


def test_data_rules(acme: Tenant, api: Api) -> None:
    """Defaults where nothing was set, under an ETag; two who change them at once do not overwrite each other."""
    where = f"domains/{acme.domain_uuid}/data-rules"
    first = api.get(where)
    assert first.json()["announce_recording"] is True and first.json()["messages_days"] is None
    etag = first.headers["ETag"]
    assert api.patch(where, {"messages_days": 30}).status_code == 428
    changed = api.patch(where, {"messages_days": 30}, If_Match=etag)
    assert changed.status_code == 200 and changed.headers["ETag"] != etag
    assert api.patch(where, {"messages_days": 60}, If_Match=etag).status_code == 412
    assert api.put(where, {"remember_callers": True}, If_Match=changed.headers["ETag"]).json()["messages_days"] is None
    assert api.patch(where, {"messages_days": 0}, If_Match="*").status_code == 400
    with tenant_context(acme.domain_uuid):
        assert rules_of().remember_callers


def test_quota(acme: Tenant, api: Api, operator: Api) -> None:
    """The domain sees it, the installation sets it; nobody's change is lost."""
    where = f"domains/{acme.domain_uuid}/quota"
    assert api.get(where).json()["max_secretaries"] == 100
    assert api.patch(where, {"max_secretaries": 5}, If_Match="*").status_code == 403
    assert api.put(where, {}).status_code == 403
    etag = operator.get(where).headers["ETag"]
    assert operator.patch(where, {"max_secretaries": 5}, If_Match=etag).json()["max_secretaries"] == 5
    assert operator.patch(where, {"max_secretaries": 6}, If_Match=etag).status_code == 412
    assert operator.patch(where, {"money_per_day": "-1"}, If_Match="*").status_code == 400
    with tenant_context(acme.domain_uuid):
        assert quota_of().max_secretaries == 5


def test_requests_about_a_caller(
    acme: Tenant, globex: Tenant, api: Api, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for, done by a worker, downloaded; another tenant's is not there."""
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(caller_requests, "kick", lambda: None)
    acme.call(caller_number="+15550100199")
    listed = f"domains/{acme.domain_uuid}/caller-requests"
    assert api.post(listed, {"kind": "export", "number": "nobody"}).status_code == 400
    made = api.post(listed, {"kind": "export", "number": "555-010-0199"}).json()
    where = f"{listed}/{made['request_uuid']}"
    assert made["state"] == "waiting" and api.get(f"{where}/file").status_code == 404
    caller_requests.run_waiting()
    done = api.get(where).json()
    assert (done["state"], done["has_file"], done["number"], done["found"]["calls"]) == ("done", True, "", 1)
    file = api.get(f"{where}/file")
    assert file.headers["Content-Type"] == "application/zip"
    assert b"".join(file.streaming_content)[:2] == b"PK"  # type: ignore[attr-defined]
    there = f"domains/{globex.domain_uuid}/caller-requests/{made['request_uuid']}"
    assert bearer(domain_key(globex.domain_uuid)).get(there).status_code == 404
    with tenant_context(acme.domain_uuid):
        assert CallerRequest.objects.get().asked_by and Secretary.objects.exists()
