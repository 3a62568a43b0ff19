"""A request costs as many queries for one row as for fifty, and for a new domain as for a full one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from eslbridge.models import DialAttempt
from secretary.models import Callback, CallbackAttempt, CallerRequest, Secretary
from secretary.tools.models import CallerFact
from secretary.webhooks.services import create_webhook
from tenants.context import tenant_context
from tests.cast import Tenant, make_tenant
from tests.secretary.api.client import Api, bearer, domain_key
from tests.secretary.api.test_calls_and_messages import a_finished_call

LISTS = (
    "secretaries", "extensions", "destinations", "calls", "messages", "jobs", "api-keys", "callbacks", "dials", "tools",
    "webhooks", "opening-hours", "special-days", "providers", "prompts", "caller-facts", "caller-requests", "audit",
)  # fmt: skip


def count(act: Callable[[], Any]) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = act()
    assert answer.status_code == 200, answer.content
    return len([query for query in queries if "SAVEPOINT" not in query["sql"]])


def fill(tenant: Tenant, api: Api, numbers: range) -> None:
    base = f"domains/{tenant.domain_uuid}"
    for number in numbers:
        with tenant_context(tenant.domain_uuid):
            secretary = Secretary.objects.create(name=f"S{number}", domain_id=tenant.domain_uuid)
        mapping = {"extension": str(8100 + number), "secretary_uuid": str(secretary.pk)}
        assert api.post(f"{base}/extensions", mapping).status_code == 201
        assert (
            api.post(f"{base}/destinations", {"name": f"D{number}", "number": str(100_000 + number)}).status_code == 201
        )
        assert api.post(f"{base}/jobs", {"kind": "originate", "number": "1001"}).status_code == 202
        assert api.post(f"{base}/api-keys", {"name": "k", "scopes": ["*"]}).status_code == 201
        others = {
            "tools": {"name": f"tool_{number}", "description": "Finds it.", "url": "https://crm.example.com/"},
            "opening-hours": {"name": f"H{number}"},
            "special-days": {"date": f"2027-01-{number + 1:02}"},
            "providers": {"provider": "gemini-live", "label": f"P{number}", "api_key": "AIza-not-one"},
        }
        for kind, body in others.items():
            answer = api.post(f"{base}/{kind}", body)
            assert answer.status_code == 201, (kind, answer.content)
        with tenant_context(tenant.domain_uuid):
            called_back = Callback.objects.create(number="1001", not_after=timezone.now() + timedelta(days=1))
            CallbackAttempt.objects.create(callback=called_back, position=number)
            CallerFact.objects.create(number=str(number), text="Prefers mornings")
            CallerRequest.objects.create(kind="export", state="done")
            DialAttempt.objects.create(kind="transfer", number="1001", allowed=True, reason="own")
            create_webhook(url=f"https://crm.example.com/{number}", events=["*"])
        a_finished_call(tenant)


@pytest.fixture
def api(db: None) -> Api:
    tenant = make_tenant("acme.example")
    api = bearer(domain_key(tenant.domain_uuid, rate_per_minute=10_000))
    api.tenant = tenant  # type: ignore[attr-defined]
    return api


def test_lists(api: Api) -> None:
    """The length of a list does not show in the number of its queries, which is small."""
    tenant: Tenant = api.tenant  # type: ignore[attr-defined]
    fill(tenant, api, range(1))

    def counts() -> dict[str, int]:
        return {kind: count(lambda kind=kind: api.get(f"domains/{tenant.domain_uuid}/{kind}")) for kind in LISTS}

    counts()
    few = counts()
    fill(tenant, api, range(1, 13))
    assert counts() == few
    # Two transactions (who is it; what is wanted), each with its tenant: sign on, key, sign off, sign on, domain, rows.
    assert set(few.values()) <= {4, 5, 6, 7, 8}, few  # 8: callbacks with what was tried


def test_single_objects(api: Api) -> None:
    """One row is as cheap among many."""
    tenant: Tenant = api.tenant  # type: ignore[attr-defined]
    where = f"domains/{tenant.domain_uuid}/secretaries/{tenant.secretary.pk}"
    api.get(where)
    few = count(lambda: api.get(where))
    fill(tenant, api, range(5))
    assert count(lambda: api.get(where)) == few <= 7


def test_provisioning(db: None) -> None:
    """A domain of forty secretaries is as many statements as one of two."""
    from tests.secretary.api.client import installation_key

    operator = bearer(installation_key(rate_per_minute=10_000))
    operator.get("me")

    def make(secretaries: int) -> int:
        names = [f"S{number}" for number in range(secretaries)]
        body = {
            "domain_uuid": str(uuid4()),
            "name": f"d{secretaries}.example",
            "esl_credential": {"password": "x"},
            "secretaries": [{"name": name} for name in names],
            "extensions": [{"extension": str(8000 + at), "secretary": name} for at, name in enumerate(names)],
        }
        return count(lambda: operator.post("provision", {"domains": [body]}))

    assert make(2) == make(40) <= 14
