"""Hours, special days, dial rules and dials by the API."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from eslbridge.dialling import ask
from tests.cast import Tenant
from tests.secretary.api.client import Api


def test_hours_are_put_again_and_again(api: Api, acme: Tenant) -> None:
    """PUT makes or replaces; the same body gives the same object; an old version is not overwritten."""
    where = f"domains/{acme.domain_uuid}/opening-hours/{uuid4()}"
    body = {"name": "Office", "weekly": {"mon": ["09:00-12:00", "13:00-24:00"]}, "is_default": True}
    first = api.put(where, body)
    assert first.status_code == 201
    assert first.json()["weekly"] == {"mon": ["09:00-12:00", "13:00-00:00"]}
    assert api.put(where, body).status_code == 200
    assert api.patch(where, {"name": "Shop"}, If_Match=first["ETag"]).status_code == 412
    shown = api.get(where)
    assert api.get(where, If_None_Match=shown["ETag"]).status_code == 304
    changed = api.patch(where, {"holidays_country": "BR", "holidays_subdivision": "SP"}, If_Match=shown["ETag"])
    assert changed.json()["holidays_subdivision"] == "SP"
    other = api.post(f"domains/{acme.domain_uuid}/opening-hours", {"name": "Night", "is_default": True})
    assert (other.status_code, api.get(where).json()["is_default"]) == (201, False), "there is one usual"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "A", "weekly": {"mon": ["9-18"]}}, "weekly.mon"),
        ({"name": "A", "weekly": {"monday": []}}, "weekly.monday"),
        ({"name": "A", "weekly": {"mon": ["09:00-12:00", "11:00-13:00"]}}, "weekly"),
        ({"name": "A", "holidays_country": "XX"}, "holidays_country"),
        ({"name": "A", "holidays_country": "BR", "holidays_subdivision": "BY"}, "holidays_subdivision"),
        ({"weekly": {}}, "name"),
    ],
)
def test_what_is_wrong_is_named(api: Api, acme: Tenant, body: dict[str, Any], field: str) -> None:
    """400 with the field."""
    response = api.post(f"domains/{acme.domain_uuid}/opening-hours", body)
    assert response.status_code == 400
    assert any(error["field"].startswith(field) for error in response.json()["errors"]), response.json()


def test_references_stay_inside(api: Api, operator: Api, acme: Tenant, globex: Tenant) -> None:
    """Another domain's hours or secretary cannot be pointed at."""
    theirs = operator.post(f"domains/{globex.domain_uuid}/opening-hours", {"name": "Theirs"}).json()["hours_uuid"]
    base = f"domains/{acme.domain_uuid}"
    secretary, sales = f"{base}/secretaries/{acme.secretary.pk}", f"{base}/destinations/{acme.sales.pk}"
    for where, field, value in (
        (secretary, "hours_uuid", theirs),
        (secretary, "closed_secretary_uuid", str(globex.secretary.pk)),
        (sales, "hours_uuid", theirs),
    ):
        response = api.patch(where, {field: value}, If_Match="*")
        assert (response.status_code, response.json()["errors"][0]["field"]) == (400, field)
    assert api.post(f"{base}/special-days", {"date": "2026-12-24", "hours_uuid": theirs}).status_code == 400
    ours = api.post(f"{base}/opening-hours", {"name": "Ours"}).json()["hours_uuid"]
    assert api.patch(secretary, {"hours_uuid": ours, "closed_action": "message"}, If_Match="*").status_code == 200
    assert api.patch(secretary, {"hours_uuid": None}, If_Match="*").json()["hours_uuid"] is None


def test_rules_and_what_came_of_them(api: Api, acme: Tenant, globex: Tenant) -> None:
    """No rules at first; then what was put; what was dialled and refused is listed, each domain its own."""
    base = f"domains/{acme.domain_uuid}"
    assert api.get(f"{base}/dial-rules").status_code == 404
    assert api.put(f"{base}/dial-rules", {"external_allowed": True, "per_call": 3}).status_code == 201
    assert api.put(f"{base}/dial-rules", {"external_allowed": True, "per_call": 3}).status_code == 200
    for number in ("2125551234", "9005551234", "+4930123456"):
        ask(domain_uuid=acme.domain_uuid, number=number, kind="external")
    ask(domain_uuid=globex.domain_uuid, number="911", kind="external")
    refused = api.get(f"{base}/dials?allowed=false").json()["items"]
    assert [(one["number"], one["reason"]) for one in refused] == [
        ("+4930123456", "country"),
        ("9005551234", "premium"),
    ]
    assert len(api.get(f"{base}/dials").json()["items"]) == 3
    assert api.delete(f"{base}/dial-rules", If_Match="*").status_code == 204
    assert ask(domain_uuid=acme.domain_uuid, number="2125551234", kind="external").reason == "external"


def test_a_secretarys_list(api: Api, acme: Tenant, globex: Tenant) -> None:
    """Numbers outside that she alone may call; what no entry is, or nobody dials, is named."""
    where = f"domains/{acme.domain_uuid}/secretaries/{acme.secretary.pk}"
    given = {"allow_list": ["+4930123456", "+1212*"], "allow_list_only": True}
    answer = api.patch(where, given, If_Match="*").json()
    assert {name: answer[name] for name in given} == given
    for wrong in (["0301234"], ["*"], ["+4930", "+19005551234"], ["+19005551234"]):
        refused = api.patch(where, {"allow_list": wrong}, If_Match="*")
        assert (refused.status_code, refused.json()["errors"][0]["field"].partition("[")[0]) == (400, "allow_list")
    foreign = f"domains/{acme.domain_uuid}/secretaries/{globex.secretary.pk}"
    assert api.patch(foreign, given, If_Match="*").status_code == 404
