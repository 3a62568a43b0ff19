"""Reads: what the dialling policy wants to know about a call and its domain. Setting ESLBRIDGE_DIAL_FACTS."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone

from eslbridge.dialling import DialFacts, rules_of
from eslbridge.policy import toll_classes
from eslbridge.policy.allow_list import on_list
from eslbridge.policy.numbers import cleaned, world_number
from secretary.models import Call, CallOutcome, Destination, DestinationKind, Secretary
from secretary.services import allowance
from tenants.context import tenant_context
from tenants.models import Domain
from tenants.quotas import limits_calls, quota_of


def dial_facts(
    *, domain_uuid: UUID, call_uuid: UUID | None, secretary_uuid: UUID | None = None, number: str
) -> DialFacts:
    """The facts of one domain. A call or a secretary of somebody else's is none here.

    The list that counts is that of the secretary who has the call, where there is one, whoever is named besides.
    """
    with tenant_context(domain_uuid):
        domain = Domain.objects.get()
        call = Call.objects.filter(call_uuid=call_uuid).first() if call_uuid is not None else None
        who = (call.secretary_id if call is not None else None) or secretary_uuid
        secretary = Secretary.objects.only("allow_list", "allow_list_only").filter(pk=who).first() if who else None
        open_calls = Call.objects.filter(outcome=CallOutcome.IN_PROGRESS, lease_until__gt=timezone.now())
        return DialFacts(
            listed=_is_stored(number),
            allow_list=tuple(secretary.allow_list) if secretary is not None else (),
            allow_list_only=secretary is not None and secretary.allow_list_only,
            toll_allow=toll_classes(call.toll_allow or None) if call is not None else None,
            visited=frozenset({call.extension}) if call is not None and call.extension else frozenset(),
            calls=open_calls.count(),
            max_calls=domain.max_calls,
            seconds_left=_seconds_left(domain),
        )


def within_list(secretary: Secretary, places: Iterable[Destination]) -> list[Destination]:
    """The destinations that a secretary may call: without the outside ones that are not on her list, if only that
    counts. She then does not offer what she would be refused."""
    rows = list(places)
    if not secretary.allow_list_only or all(row.kind != DestinationKind.EXTERNAL for row in rows):
        return rows
    rules = rules_of()

    def is_listed(number: str) -> bool:
        world = world_number(cleaned(number), rules.country, rules.outside_prefix)
        return world is not None and on_list(world.e164, secretary.allow_list)

    return [row for row in rows if row.kind != DestinationKind.EXTERNAL or is_listed(row.number)]


def _is_stored(number: str) -> bool:
    """Whether an enabled external destination has this number, in whatever spelling."""
    stored = list(
        Destination.objects.filter(kind=DestinationKind.EXTERNAL, enabled=True).values_list("number", flat=True)
    )
    if not stored:
        return False
    rules, wanted = rules_of(), cleaned(number)
    if number in stored or wanted in stored:
        return True
    meant = world_number(wanted, rules.country, rules.outside_prefix) if wanted else None
    if meant is None:
        return False
    same = (world_number(cleaned(one), rules.country, rules.outside_prefix) for one in stored)
    return any(other is not None and other.e164 == meant.e164 for other in same)


def _seconds_left(domain: Domain) -> float | None:
    """What is left of the domain's minutes and money today, after what its calls have used so far; None: no quota."""
    quota = quota_of()
    if not limits_calls(quota):
        return None
    zone, now = ZoneInfo(domain.time_zone), timezone.now()
    day = now.astimezone(zone).date()
    going_on = list(Call.objects.filter(outcome=CallOutcome.IN_PROGRESS))
    spent = allowance.with_calls(allowance.used_of(day), day, going_on, zone, now, held=False)
    if allowance.out_of_money(quota, spent):
        return 0.0
    dearest = max((call.second_price for call in going_on), default=allowance.ZERO)
    rest = allowance.left(quota, spent, dearest)
    return None if rest.seconds is None else float(rest.seconds)
