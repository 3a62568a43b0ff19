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
    call: Call,
    *,
    began: datetime | None,
    ended_at: datetime,
    time_zone: str,
    more: Iterable[UsageItem] = (),
    came_in_with: tuple[str, str] | None = None,
) -> None:
    """Write what a call that is over has used: its seconds, and what else the node has counted. Inside the tenant.

    Seconds run from the first answer (`began`; None: it was never answered) to `ended_at`. Where `more` says who had
    the call for how long, they are shared by that. The price of a second is the one the call came in with, with the
    provider and model that it came in with; others have today's.
    """
    seconds = max(Decimal(0), Decimal(str((ended_at - (began or ended_at)).total_seconds())))
    day = call.started_at.astimezone(ZoneInfo(time_zone)).date()
    items = [item for item in more if item.unit in UsageUnit.values]
    first = came_in_with or (call.provider, call.model)
    if call.provider and (began is not None or UsageRecord.objects.filter(call=call).exists()):
        shares = _shares(seconds, [item for item in items if item.unit == UsageUnit.SECOND]) or {first: seconds}
        for row in UsageRecord.objects.filter(call=call, unit=UsageUnit.SECOND):
            shares.setdefault((row.provider, row.model), Decimal(0))
        for who, share in shares.items():
            price = call.second_price if who == first else _price(*who, UsageUnit.SECOND)
            _write(call, day, *who, UsageUnit.SECOND, share, price)
    for item in items:
        if item.unit != UsageUnit.SECOND:
            quantity = max(Decimal(0), Decimal(str(item.quantity)))
            price = _price(item.provider, item.model, item.unit)
            _write(call, day, item.provider, item.model, item.unit, quantity, price)


def _shares(seconds: Decimal, items: list[UsageItem]) -> dict[tuple[str, str], Decimal]:
    """The call's seconds by who had it: together exactly these, however the node's clock went."""
    total = sum(max(0.0, item.quantity) for item in items)
    if total <= 0:
        return {}
    shares: dict[tuple[str, str], Decimal] = {}
    left = seconds
    for item in items:
        share = (seconds * Decimal(str(max(0.0, item.quantity) / total))).quantize(_MILLI, ROUND_HALF_UP)
        share = min(share, left)
        who = (item.provider, item.model)
        shares[who] = shares.get(who, Decimal(0)) + share
        left -= share
    longest = max(shares, key=lambda who: shares[who])
    shares[longest] += left
    return shares


def _price(provider: str, model: str, unit: str) -> Decimal:
    return unit_prices(provider, model).get(unit, Decimal(0))


def _write(call: Call, day: date, provider: str, model: str, unit: str, quantity: Decimal, unit_price: Decimal) -> None:
    quantity = quantity.quantize(_MILLI, ROUND_HALF_UP)
    amount = (quantity * unit_price).quantize(_MICRO, ROUND_HALF_UP)
    row = UsageRecord.objects.filter(call=call, provider=provider[:40], model=model[:120], unit=unit).first()
    if row is None:
        row = UsageRecord(
            domain_id=call.domain_uuid,
            call=call,
            day=day,
            secretary_uuid=call.secretary_id,
            provider=provider[:40],
            model=model[:120],
            unit=unit,
            quantity=0,
            amount=0,
            currency=settings.CURRENCY,
        )
    new = row._state.adding and not UsageRecord.objects.filter(call=call, provider=provider[:40], unit=unit).exists()
    more_quantity, more_amount = quantity - row.quantity, amount - row.amount
    row.quantity, row.unit_price, row.amount = quantity, unit_price, amount
    row.save()
    _add_to_day(row, calls=1 if new else 0, quantity=more_quantity, amount=more_amount)


def _add_to_day(row: UsageRecord, *, calls: int, quantity: Decimal, amount: Decimal) -> None:
    # The table's own upsert: calls that end at the same moment add to the same row, one after the other.
    now = timezone.now().astimezone(UTC)
    key: list[date | UUID | str | None] = [
        row.day,
        row.secretary_uuid,
        row.provider,
        row.model,
        row.unit,
        row.currency,
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into secretary_usageday (row_uuid, domain_uuid, day, secretary_uuid, provider, model, unit,"
            " currency, calls, quantity, amount, created_at, updated_at)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " on conflict (domain_uuid, day, secretary_uuid, provider, model, unit, currency) do update set"
            " calls = secretary_usageday.calls + excluded.calls,"
            " quantity = secretary_usageday.quantity + excluded.quantity,"
            " amount = secretary_usageday.amount + excluded.amount, updated_at = excluded.updated_at",
            [uuid4(), row.domain_uuid, *key, calls, quantity, amount, now, now],
        )
