"""The page of usage and quotas: figures, bars, the operator's form, and the banner when a quota runs out."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from secretary.models import UsageDay
from secretary.panel.bars import HEIGHT, bars
from secretary.selectors.usage_summary import Figures, month_of_usage
from tenants.context import tenant_context
from tenants.models import Domain, Quota, QuotaAlarm
from tests.secretary.panel.cast import Cast, House


def use(
    house: House,
    seconds: int,
    *,
    amount: str = "0",
    day: date | None = None,
    secretary: bool = True,
    model: str = "",
) -> None:
    with tenant_context(house.domain.pk):
        UsageDay.objects.create(
            day=day or timezone.localdate(),
            secretary_uuid=house.objects["secretary_uuid"] if secretary else None,
            provider="local",
            model=model,
            unit="second",
            currency="USD",
            calls=1,
            quantity=seconds,
            amount=Decimal(amount),
        )


def page(client: Client, house: House, query: str = "", **headers: str) -> str:
    response = client.get(reverse("panel:usage", args=[house.domain.pk]) + query, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def test_figures(cast: Cast, alice: Client) -> None:
    """This month's sums, by day and by secretary; nothing of another tenant or month."""
    use(cast.acme, 630, amount="1.25")
    use(cast.acme, 60, secretary=False, model="big-1.5")
    use(cast.globex, 99_999, amount="777")
    use(cast.acme, 88_888, day=date(2025, 1, 5))
    text = page(alice, cast.acme)
    assert "11.5" in text and "1.25" in text and "big-1.5" in text and "acme secretary" in text and "removed" in text
    assert "777" not in text and "globex" not in text and "1,481" not in text
    assert "1481.5" in page(alice, cast.acme, "?month=2025-01")


@pytest.mark.parametrize("month", ["9999-01", "2026-13", "nonsense", "", "2000-01", "2000-01'"])
def test_any_month(cast: Cast, alice: Client, month: str) -> None:
    """What is no month shows the current one; the earliest there is has none before it."""
    text = page(alice, cast.acme, f"?month={month}")
    assert ("?month=1999" not in text) and "Usage" in text


def test_bars_are_numbers_in_every_language(cast: Cast, alice: Client) -> None:
    """A decimal comma would draw nothing."""
    use(cast.acme, 630)
    use(cast.acme, 100, day=timezone.localdate().replace(day=1), secretary=False)
    text = page(alice, cast.acme, **{"Accept-Language": "pt-BR"})
    drawn = re.findall(r' (?:x|y|height|viewBox)="([^"]*)"', text.partition('class="bars"')[2])
    assert drawn and all(re.fullmatch(r"[\d. ]+", value) for value in drawn)
    assert "10,5" in text


def test_heights() -> None:
    """The highest day fills the drawing, the least is still seen, an empty one is not."""
    first = date(2026, 2, 1)
    drawn = bars(first, {first: Figures(1, Decimal(1_000)), date(2026, 2, 28): Figures(1, Decimal(1))})
    assert len(drawn) == 28
    assert (float(drawn[0].height), float(drawn[1].height)) == (HEIGHT, 0)
    assert float(drawn[27].height) == 1.5
    assert not any(float(bar.height) for bar in bars(first, {}))


def test_queries_do_not_grow(cast: Cast, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """Two, for one day as for a month."""
    for number in range(40):
        use(cast.acme, 60, day=date(2026, 3, 1) + timedelta(days=number % 31), secretary=number % 2 == 0) if (
            number < 31
        ) else None
    with tenant_context(cast.acme.domain.pk), django_assert_num_queries(2):
        month = month_of_usage(date(2026, 3, 1))
    assert month.total.seconds == 31 * 60


def test_the_operator_sets_quotas(cast: Cast, sign_in: Callable[[str], Client], alice: Client) -> None:
    """All figures, of one domain only; its administrator sees them and finds no way to change them."""
    where = reverse("panel:quotas", args=[cast.acme.domain.pk])
    values = {"minutes_per_day": "30", "money_per_month": "12.50", "max_calls": "3", "max_secretaries": "5"}
    values["seen"] = cast.acme.domain.updated_at.isoformat()
    response = sign_in("operator").post(where, {**values, "max_extensions": "7"})
    assert response.status_code == 302
    with tenant_context(cast.acme.domain.pk):
        quota = Quota.objects.get()
        assert (quota.minutes_per_day, quota.money_per_month) == (30, Decimal("12.50"))
        assert (quota.max_secretaries, quota.max_extensions) == (5, 7)
        assert Domain.objects.get().max_calls == 3
    with tenant_context(cast.globex.domain.pk):
        assert not Quota.objects.exists() and Domain.objects.get().max_calls == 10
    assert alice.post(where, {**values, "max_extensions": "9"}).status_code == 403
    text = page(alice, cast.acme)
    assert where not in text and "0.00 / 30" in text
    assert where in page(sign_in("operator"), cast.acme)


def test_banner(cast: Cast, alice: Client, sign_in: Callable[[str], Client]) -> None:
    """While a quota is used up every page says so, to those who see how the domain is set up."""
    today = timezone.localdate()
    with tenant_context(cast.acme.domain.pk):
        for percent, kind, day in ((80, "minutes", today), (100, "money", today - timedelta(days=40))):
            QuotaAlarm.objects.create(kind=kind, period="day", begins_on=day, percent=percent, used=9, quota=10)
    home = reverse("panel:home", args=[cast.acme.domain.pk])
    text = alice.get(home).content.decode()
    assert "80 % of the minutes are used." in text and "used up" not in text
    assert "80 %" not in sign_in("agent").get(home).content.decode()
    with tenant_context(cast.acme.domain.pk):
        QuotaAlarm.objects.create(kind="minutes", period="day", begins_on=today, percent=100, used=10, quota=10)
    text = alice.get(home).content.decode()
    assert "The minutes are used up" in text and "80 % of" not in text
