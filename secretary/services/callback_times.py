"""When a callback may be placed: the wish's own times, the domain's day, and its opening hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from secretary.models import CallingRules
from secretary.selectors.opening import opening_of

ROUNDS: Final = 20
"""How many closed times in a row are looked over: holidays, weekends."""


def next_moment(
    wanted: datetime, *, domain_uuid: UUID, rules: CallingRules, time_zone: str, destination_uuid: UUID | None = None
) -> datetime | None:
    """The first allowed moment that is not before `wanted`; None: nobody knows of one.

    Inside a tenant. Twice a year an hour of a zone's clock is not there or is there twice: only the clock counts.
    """
    zone = ZoneInfo(time_zone)
    moment = wanted
    for _ in range(ROUNDS):
        local = moment.astimezone(zone)
        if local.time() < rules.earliest:
            moment = datetime.combine(local.date(), rules.earliest, zone)
        elif local.time() >= rules.latest:
            moment = datetime.combine(local.date() + timedelta(days=1), rules.earliest, zone)
        opens = _opens(moment, domain_uuid, destination_uuid)
        if opens is None:
            return None
        if opens <= moment:
            return moment
        moment = opens
    return None


def _opens(moment: datetime, domain_uuid: UUID, destination_uuid: UUID | None) -> datetime | None:
    """The moment itself where domain and destination are open then, else when the closed one opens; None: never."""
    openings = [opening_of(domain_uuid=domain_uuid, at=moment)]
    if destination_uuid is not None:
        openings.append(opening_of(domain_uuid=domain_uuid, destination_uuid=destination_uuid, at=moment))
    for opening in openings:
        if not opening.open:
            return opening.next_open
    return moment
