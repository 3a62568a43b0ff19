"""Reads: what the dialling policy wants to know about a call and its domain. Setting ESLBRIDGE_DIAL_FACTS."""

from __future__ import annotations

from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone

from eslbridge.dialling import DialFacts, rules_of
from eslbridge.policy import toll_classes
from eslbridge.policy.numbers import cleaned, world_number
from secretary.models import Call, CallOutcome, Destination, DestinationKind
from secretary.services import allowance
from tenants.context import tenant_context
from tenants.models import Domain
from tenants.quotas import limits_calls, quota_of


def dial_facts(*, domain_uuid: UUID, call_uuid: UUID | None, number: str) -> DialFacts:
    """The facts of one domain. A call of somebody else's is no call here."""
    with tenant_context(domain_uuid):
        domain = Domain.objects.get()
        call = Call.objects.filter(call_uuid=call_uuid).first() if call_uuid is not None else None
        open_calls = Call.objects.filter(outcome=CallOutcome.IN_PROGRESS, lease_until__gt=timezone.now())
        return DialFacts(
            listed=_is_stored(number),
            toll_allow=toll_classes(call.toll_allow or None) if call is not None else None,
            visited=frozenset({call.extension}) if call is not None and call.extension else frozenset(),
            calls=open_calls.count(),
            max_calls=domain.max_calls,
            seconds_left=_seconds_left(domain),
        )


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
