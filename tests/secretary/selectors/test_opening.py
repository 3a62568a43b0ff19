"""Whose hours count, and what the telephone system may say about them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from secretary.models import Destination, OpeningHours, Secretary
from secretary.selectors.opening import describe, opening_of
from secretary.services.opening_hours import create_day, create_hours
from tenants.context import tenant_context
from tenants.services import update_domain
from tests.cast import Tenant

ZONE = ZoneInfo("America/Sao_Paulo")
NOON = datetime(2026, 11, 23, 12, tzinfo=ZONE)
"""A Monday."""


@pytest.fixture
def office(acme: Tenant) -> OpeningHours:
    """Acme's usual hours: Monday morning."""
    update_domain(domain_uuid=acme.domain_uuid, time_zone="America/Sao_Paulo")
    with tenant_context(acme.domain_uuid):
        return create_hours(name="Office", is_default=True, weekly={"mon": ["08:00-11:00"]})


def stands(tenant: Tenant, at: datetime = NOON, **about: object) -> tuple[bool, str]:
    opening = opening_of(domain_uuid=tenant.domain_uuid, at=at, **about)  # type: ignore[arg-type]
    return opening.open, opening.reason


def test_whose_hours(acme: Tenant, globex: Tenant, office: OpeningHours) -> None:
    """The secretary's own, else the domain's usual ones; a destination's own, else none; without any it is open."""
    mine: dict[str, Any] = {"secretary_uuid": acme.secretary.pk}
    assert stands(globex) == (True, "no_hours")
    assert stands(acme) == stands(acme, **mine) == (False, "hours")
    assert stands(acme, destination_uuid=acme.sales.pk) == (True, "no_hours")
    with tenant_context(acme.domain_uuid):
        late = create_hours(name="Late", weekly={"mon": ["11:00-20:00"]})
        Secretary.objects.update(hours=late)
        Destination.objects.update(hours=office)
    assert stands(acme, **mine) == (True, "hours")
    assert stands(acme, destination_uuid=acme.sales.pk) == (False, "hours")
    assert stands(acme) == (False, "hours")


def test_foreign_and_missing(acme: Tenant, globex: Tenant, office: OpeningHours) -> None:
    """Somebody else's secretary is nobody: the domain's usual hours hold, and never theirs."""
    with tenant_context(globex.domain_uuid):
        Secretary.objects.update(hours=create_hours(name="Always", weekly={"mon": ["00:00-00:00"]}))
    assert stands(acme, secretary_uuid=globex.secretary.pk) == (False, "hours")
    assert stands(acme, secretary_uuid=uuid4()) == (False, "hours")
    assert stands(acme, destination_uuid=globex.sales.pk) == (True, "no_hours")


def test_in_the_domains_time(acme: Tenant, office: OpeningHours) -> None:
    """Eight o'clock is the domain's eight o'clock, whatever the server has."""
    at = datetime(2026, 11, 23, 11, 30, tzinfo=ZoneInfo("UTC"))
    opening = opening_of(domain_uuid=acme.domain_uuid, at=at)
    assert opening.open and opening.until == datetime(2026, 11, 23, 11, tzinfo=ZONE)
    assert describe(opening, "pt-br").startswith("Estamos abertos até as onze horas.")


def test_special_days_of_these_hours_and_of_all(acme: Tenant, globex: Tenant, office: OpeningHours) -> None:
    """One's own day goes before one of the whole domain; another domain's day is nobody's."""
    day = date(2026, 11, 23)
    with tenant_context(globex.domain_uuid):
        create_day(date=day, ranges=["00:00-00:00"])
    assert stands(acme) == (False, "hours")
    with tenant_context(acme.domain_uuid):
        create_day(date=day, name="Fair", ranges=["09:00-20:00"])
    assert stands(acme) == (True, "special_day")
    with tenant_context(acme.domain_uuid):
        create_day(date=day, hours=office)
    assert stands(acme) == (False, "special_day")


def test_the_telephone_systems_word(acme: Tenant, office: OpeningHours) -> None:
    """It counts where the hours leave it to the telephone system, and nowhere else."""
    assert stands(acme, told=True) == (False, "hours")
    with tenant_context(acme.domain_uuid):
        OpeningHours.objects.update(source="switch")
    assert stands(acme, told=True) == (True, "switch")
    assert stands(acme, told=False) == (False, "switch")
    assert stands(acme) == (False, "hours"), "nothing was said: the week"
    closed = opening_of(domain_uuid=acme.domain_uuid, at=NOON, told=False)
    assert closed.next_open == datetime(2026, 11, 30, 8, tzinfo=ZONE)
    with tenant_context(acme.domain_uuid):
        OpeningHours.objects.update(weekly={})
    assert stands(acme) == (True, "switch"), "and no week: open"


def test_quick_enough_to_be_asked_as_a_call_comes_in(acme: Tenant, office: OpeningHours) -> None:
    """Two queries more than the secretary itself, holidays or not."""
    with tenant_context(acme.domain_uuid):
        OpeningHours.objects.update(holidays_country="BR", holidays_subdivision="SP")
    stands(acme)  # the year's holidays are worked out once
    with tenant_context(acme.domain_uuid), CaptureQueriesContext(connection) as queries:
        opening_of(domain_uuid=acme.domain_uuid, secretary_uuid=acme.secretary.pk)
    selects = [query["sql"] for query in queries.captured_queries if query["sql"].startswith("SELECT ")]
    assert len(selects) == 4, selects
