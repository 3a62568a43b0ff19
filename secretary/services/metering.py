"""What calls use, written down: a record per call, provider and unit, and the day's sum with it.

Writing again replaces: a call whose node was given up may turn out to have lasted longer. The day's sum moves by the
difference, in the same transaction, so that it is always the sum of the records.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils import timezone

from secretary.models import Call, UsageRecord, UsageUnit
from secretary.profiles import UsageItem
from secretary.selectors.prices import unit_prices

_MICRO: Final = Decimal("0.000001")
_MILLI: Final = Decimal("0.001")


def meter_call(
    call: Call, *, began: datetime | None, ended_at: datetime, time_zone: str, more: Iterable[UsageItem] = ()
) -> None:
    """Write what a call that is over has used: its seconds, and what else the node has counted. Inside the tenant.

    Seconds run from the first answer (`began`; None: it was never answered) to `ended_at`; the price of a second is
    the one the call came in with.
    """
    seconds = max(Decimal(0), Decimal(str((ended_at - (began or ended_at)).total_seconds())))
    day = call.started_at.astimezone(ZoneInfo(time_zone)).date()
    if call.provider and (began is not None or UsageRecord.objects.filter(call=call).exists()):
        _write(call, day, call.provider, UsageUnit.SECOND, seconds, call.second_price)
    counted = [item for item in more if item.unit in UsageUnit.values and item.unit != UsageUnit.SECOND]
    for provider in {item.provider for item in counted}:
        prices = unit_prices(provider)
        for item in counted:
            if item.provider == provider:
                price = prices.get(item.unit, Decimal(0))
                _write(call, day, provider, item.unit, max(Decimal(0), Decimal(str(item.quantity))), price)


def _write(call: Call, day: date, provider: str, unit: str, quantity: Decimal, unit_price: Decimal) -> None:
    quantity = quantity.quantize(_MILLI, ROUND_HALF_UP)
    amount = (quantity * unit_price).quantize(_MICRO, ROUND_HALF_UP)
    row = UsageRecord.objects.filter(call=call, provider=provider[:40], unit=unit).first()
    if row is None:
        row = UsageRecord(
            domain_id=call.domain_uuid,
            call=call,
            day=day,
            secretary_uuid=call.secretary_id,
            provider=provider[:40],
            unit=unit,
            quantity=0,
            amount=0,
            currency=settings.CURRENCY,
        )
    new = row._state.adding
    more_quantity, more_amount = quantity - row.quantity, amount - row.amount
    row.quantity, row.unit_price, row.amount = quantity, unit_price, amount
    row.save()
    _add_to_day(row, calls=1 if new else 0, quantity=more_quantity, amount=more_amount)


def _add_to_day(row: UsageRecord, *, calls: int, quantity: Decimal, amount: Decimal) -> None:
    # The table's own upsert: calls that end at the same moment add to the same row, one after the other.
    now = timezone.now().astimezone(UTC)
    key: list[date | UUID | str | None] = [row.day, row.secretary_uuid, row.provider, row.unit, row.currency]
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into secretary_usageday (row_uuid, domain_uuid, day, secretary_uuid, provider, unit, currency,"
            " calls, quantity, amount, created_at, updated_at)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " on conflict (domain_uuid, day, secretary_uuid, provider, unit, currency) do update set"
            " calls = secretary_usageday.calls + excluded.calls,"
            " quantity = secretary_usageday.quantity + excluded.quantity,"
            " amount = secretary_usageday.amount + excluded.amount, updated_at = excluded.updated_at",
            [uuid4(), row.domain_uuid, *key, calls, quantity, amount, now, now],
        )
