"""Hours and dialling in the panel: a week typed in, days that differ, what may be dialled, and what was refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from eslbridge.dialling import ask
from eslbridge.models import DialAttempt, DialRules
from secretary.models import CallEvent, Destination, OpeningHours, Secretary, SpecialDay
from tenants.context import tenant_context
from tenants.models import AuditEvent
from tests.secretary.panel.cast import Cast

WEEK = {
    "name": "Office", "source": "weekly", "holidays_country": "DE",
    "weekly_mon_1_from": "08:30", "weekly_mon_1_to": "12:00", "weekly_mon_2_from": "13:00", "weekly_mon_2_to": "18:00",
    "weekly_fri_2_from": "22:00", "weekly_fri_2_to": "06:00",
}  # fmt: skip
RULES = {
    "external_allowed": "on", "allowed_countries": ["AR", "US"], "blocked_prefixes": "+55 300\n+55-900",
    "per_call": "5",
    "external_per_hour": "20", "external_per_day": "90", "country": "BR", "dial_as": "national", "internal_digits": "4",
    "outside_prefix": "0", "toll_allow": "local,domestic",
}  # fmt: skip


def test_a_week(cast: Cast, alice: Client) -> None:
    """What is typed is what is stored and shown; a country with states asks for one on the same page."""
    domain = cast.acme.domain
    response = alice.post(reverse("panel:hours-new", args=[domain.pk]), WEEK)
    with tenant_context(domain.pk):
        office = OpeningHours.objects.get(name="Office")
        assert AuditEvent.objects.filter(action="openinghours.created").count() == 1
    page = reverse("panel:opening-hours", args=[domain.pk, office.pk])
    assert (response.status_code, response["Location"]) == (302, page)
    assert office.weekly == {"mon": ["08:30-12:00", "13:00-18:00"], "fri": ["22:00-06:00"]}
    text = alice.get(page).content.decode()
    assert 'value="08:30"' in text and "Bayern" in text
    assert "Monday from eight thirty to noon" in alice.get(reverse("panel:hours", args=[domain.pk])).content.decode()
    seen = office.updated_at.isoformat()
    again = alice.post(page, {**WEEK, "seen": seen, "holidays_subdivision": "BY", "is_default": "on"})
    assert again["Location"] == reverse("panel:hours", args=[domain.pk])
    with tenant_context(domain.pk):
        usual = OpeningHours.objects.filter(is_default=True)
        assert [(one.name, one.holidays_subdivision) for one in usual] == [("Office", "BY")]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"weekly_mon_1_to": ""}, "Monday: give both times"),
        ({"weekly_mon_2_from": "11:00"}, "Monday: 08:30-12:00 and 11:00-18:00 overlap"),
        ({"weekly_tue_1_from": "09:00", "weekly_tue_1_to": "09:00"}, "Tuesday: "),
        ({"holidays_country": "XX"}, "Select a valid choice"),
        ({"name": ""}, "Please fill this in"),
    ],
)
def test_a_week_with_a_mistake(cast: Cast, alice: Client, wrong: dict[str, str], said: str) -> None:
    """Said beside the field, with all that was typed kept."""
    response = alice.post(reverse("panel:hours-new", args=[cast.acme.domain.pk]), WEEK | wrong)
    assert response.status_code == 422
    text = response.content.decode()
    assert said in text and 'value="22:00"' in text


def test_somebody_else_was_quicker(cast: Cast, alice: Client) -> None:
    """Nobody's hours are overwritten unseen."""
    page = reverse("panel:opening-hours", args=[cast.acme.domain.pk, cast.acme.objects["hours_uuid"]])
    assert alice.post(page, WEEK | {"seen": "2020-01-01T00:00:00+00:00"}).status_code == 409


def test_a_special_day(cast: Cast, alice: Client) -> None:
    """Of one week or of all; the same day twice is refused with words."""
    domain = cast.acme.domain
    new = reverse("panel:special-day-new", args=[domain.pk])
    body = {"date": "2026-12-31", "name": "Stocktaking", "ranges_day_1_from": "09:00", "ranges_day_1_to": "12:00"}
    assert alice.post(new, body).status_code == 302
    with tenant_context(domain.pk):
        day = SpecialDay.objects.get(name="Stocktaking")
    assert (day.ranges, day.hours_id, day.every_year) == (["09:00-12:00"], None, False)
    again = alice.post(new, body)
    assert again.status_code == 422 and "This day is there already." in again.content.decode()
    foreign = {**body, "date": "2026-12-30", "hours_id": str(cast.globex.objects["hours_uuid"])}
    assert alice.post(new, foreign).status_code == 422


def test_removing_hours(cast: Cast, alice: Client) -> None:
    """Whoever had them has the usual ones; the record says that of each."""
    domain, hours = cast.acme.domain, cast.acme.objects["hours_uuid"]
    with tenant_context(domain.pk):
        Secretary.objects.update(hours=hours)
        Destination.objects.update(hours=hours)
    assert alice.post(reverse("panel:hours-delete", args=[domain.pk, hours])).status_code == 302
    with tenant_context(domain.pk):
        assert not SpecialDay.objects.exists() and not Secretary.objects.filter(hours__isnull=False).exists()
        done = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"openinghours.deleted", "specialday.deleted", "secretary.changed", "destination.changed"} <= done


def test_out_of_hours_of_a_secretary(cast: Cast, alice: Client) -> None:
    """Another secretary has to be named, and be one of the domain."""
    page = reverse("panel:secretary-new", args=[cast.acme.domain.pk])
    body: dict[str, Any] = {
        "name": "Night", "language": "en", "silence_s": "8", "silence_prompts": "2", "max_call_s": "600",
        "closed_action": "secretary", "hours_id": str(cast.acme.objects["hours_uuid"]),
    }  # fmt: skip
    refused = alice.post(page, body)
    assert refused.status_code == 422 and "Choose who answers out of hours." in refused.content.decode()
    assert (
        alice.post(page, body | {"closed_secretary_id": str(cast.globex.objects["secretary_uuid"])}).status_code == 422
    )
    other = cast.acme.objects["secretary_uuid"]
    assert alice.post(page, body | {"closed_secretary_id": str(other)}).status_code == 302
    with tenant_context(cast.acme.domain.pk):
        night = Secretary.objects.get(name="Night")
    assert (night.closed_action, night.closed_secretary_id, night.hours_id) == (
        "secretary", other, cast.acme.objects["hours_uuid"],
    )  # fmt: skip


def test_dial_rules(cast: Cast, alice: Client) -> None:
    """What is typed holds from the next dial on, and a number can be tried out."""
    domain = cast.acme.domain
    page = reverse("panel:dial-rules", args=[domain.pk])
    assert alice.post(page, RULES).status_code == 302
    with tenant_context(domain.pk):
        rules = DialRules.objects.get()
        assert (rules.blocked_prefixes, rules.allowed_countries) == (["+55300", "+55900"], ["AR", "US"])
    assert ask(domain_uuid=domain.pk, number="(11) 98765-4321", kind="external").dialled == "0011987654321"
    overview = reverse("panel:dialling", args=[domain.pk])
    text = alice.get(overview, {"number": "0 0300 123 4567", "kind": "external"}).content.decode()
    assert "The domain has blocked such numbers" in text and "+553001234567" in text
    assert "A premium or shared-cost number" in text, "what was refused before stands below"
    with tenant_context(domain.pk):
        assert DialAttempt.objects.count() == 2, "trying counts nothing"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("blocked_prefixes", "0900"),
        ("own_numbers", "1001"),
        ("country", "XX"),
        ("per_call", "0"),
        ("toll_allow", "${x}"),
    ],
)
def test_dial_rules_with_a_mistake(cast: Cast, alice: Client, field: str, value: str) -> None:
    """Refused with words, and nothing is stored."""
    assert (
        alice.post(reverse("panel:dial-rules", args=[cast.acme.domain.pk]), RULES | {field: value}).status_code == 422
    )
    with tenant_context(cast.acme.domain.pk):
        assert not DialRules.objects.exists()


@pytest.mark.parametrize(
    ("kind", "number", "said"),
    [
        ("external", "+1 900 555 1234", "premium or shared-cost"),
        ("external", "+881612345678", "satellite"),
        ("extension", "0119001234567", "too long for an extension"),
    ],
)
def test_a_number_that_would_never_be_dialled(cast: Cast, alice: Client, kind: str, number: str, said: str) -> None:
    """Whoever stores it is told so, not the callers."""
    body = {"name": "Friend", "kind": kind, "number": number, "priority": "0", "transfer_mode": "blind", "ring_s": "25"}
    response = alice.post(reverse("panel:destination-new", args=[cast.acme.domain.pk]), body)
    assert response.status_code == 422 and said in response.content.decode()


def test_the_timeline_says_it_in_words(cast: Cast, alice: Client) -> None:
    """Out of hours, and why somebody was not put through."""
    call_uuid = cast.acme.objects["call_uuid"]
    with tenant_context(cast.acme.domain.pk):
        closed = {"reason": "holiday", "day": "Natal", "action": "message"}
        CallEvent.objects.create(call_id=call_uuid, at_ms=0, kind="closed", detail=closed)
        refused = {"name": "transfer", "outcome": "toll_allow"}
        CallEvent.objects.create(call_id=call_uuid, at_ms=900, kind="tool_done", detail=refused)
    text = alice.get(reverse("panel:call", args=[cast.acme.domain.pk, call_uuid])).content.decode()
    for said in ("Out of hours", "a public holiday", "day: Natal", "Say that it is closed, and take a message"):
        assert said in text, said
    assert "the telephone system does not permit this class of calls" in text
