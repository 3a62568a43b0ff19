"""Pages of a list: nothing is lost, nothing comes twice, whatever is added meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secretary.models import Call
from tenants.context import tenant_context
from tests.cast import Tenant
from tests.secretary.api.client import Api

BEGIN = timezone.now()


def add_calls(tenant: Tenant, seconds: list[int]) -> None:
    with tenant_context(tenant.domain_uuid):
        moments: list[datetime] = [BEGIN - timedelta(seconds=second) for second in seconds]
        about = {"outcome": "completed", "domain_id": tenant.domain_uuid}
        Call.objects.bulk_create(
            [Call(call_uuid=uuid4(), started_at=moment, ended_at=moment, **about) for moment in moments]
        )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seconds=st.lists(st.integers(0, 5), max_size=23),
    limit=st.integers(1, 9),
    later=st.lists(st.integers(-3, -1), max_size=4),
)
def test_every_call_comes_once(acme: Tenant, api: Api, seconds: list[int], limit: int, later: list[int]) -> None:
    """In order, also where many began at the same moment and new ones arrive; and back again the same way."""
    with tenant_context(acme.domain_uuid):
        Call.objects.all().delete()
    add_calls(acme, seconds)
    listed = f"domains/{acme.domain_uuid}/calls?limit={limit}&fields=call_uuid,started_at"
    pages = []
    cursor = ""
    while cursor is not None:
        page = api.get(f"{listed}&cursor={cursor}" if cursor else listed).json()
        pages.append(page)
        assert len(page["items"]) <= limit
        if len(pages) == 1:
            add_calls(acme, later)
        cursor = page["next_cursor"]
    found = [item for page in pages for item in page["items"]]
    assert len(found) == len(seconds) == len({item["call_uuid"] for item in found})
    times = [item["started_at"] for item in found]
    assert times == sorted(times, reverse=True)
    if len(pages) > 1:
        back = api.get(f"{listed}&cursor={pages[-1]['previous_cursor']}").json()
        assert back["items"] == pages[-2]["items"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=130))
def test_any_text_as_a_cursor(acme: Tenant, api: Api, text: str) -> None:
    """What is no cursor is 400, never 500."""
    where = f"domains/{acme.domain_uuid}/calls"
    answer = api.client.get(f"/api/v1/{where}", {"cursor": text}, headers={"Authorization": api.authorization})
    assert answer.status_code == 400


def test_limits_of_a_page(acme: Tenant, api: Api) -> None:
    """From 1 to 200."""
    where = f"domains/{acme.domain_uuid}/calls"
    for limit in ("0", "201", "-1", "x", "9" * 30):
        assert api.get(f"{where}?limit={limit}").json()["errors"][0]["field"] == "limit"
    assert api.get(f"{where}?limit=200").status_code == 200
