"""Slowing down who guesses: each attempt counts before it is judged.

At one account the wait doubles after a few free attempts. From one address, behind which there may be a whole office,
so many may come at once, and from then on one every so often. Counted in PostgreSQL, under a lock on the row: a hundred
attempts at once are a hundred attempts. What is counted is the same whether an account exists or not. A success clears
what was counted for the account, and gives the address its one attempt back, no more.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import models
from django.utils import timezone

from tenants.context import platform_context
from tenants.models.throttle import Throttle


@dataclass(frozen=True, slots=True)
class Rule:
    """So many attempts are free; then each waits twice as long as the one before. Forgotten after a quiet time.

    With `every_s` nothing doubles: after the free ones there is one more each `every_s` seconds. Of such a row
    `last_at` is the moment at which all attempts will be free again (the generic cell rate algorithm).
    """

    name: str
    free: int
    most_s: int = 900
    forget_s: int = 24 * 3600
    every_s: int = 0

    def wait_s(self, failures: int) -> int:
        """Seconds between the last of so many failures and the next attempt."""
        if failures < self.free:
            return 0
        return min(1 << min(failures - self.free, 20), self.most_s)


# At one account from one address a person is soon slowed down; from all addresses together later, so that a stranger
# who knows the name cannot lock its owner out with a handful of attempts, and for a quarter of an hour at most.
ACCOUNT_FROM_ADDRESS: Final = Rule("account-from-address", free=5)
ACCOUNT: Final = Rule("account", free=20)
ADDRESS: Final = Rule("address", free=30, every_s=120)
SECOND_FACTOR: Final = Rule("second-factor", free=5)
INVITATION: Final = Rule("invitation", free=20, every_s=60)
RESET_ADDRESS: Final = Rule("reset-address", free=10, every_s=120)
RESET_ACCOUNT: Final = Rule("reset-account", free=3, most_s=3600)

Subject = tuple[Rule, str]


def network(address: str | None) -> str:
    """What counts as one place: an IPv4 address, an IPv6 /64 (which one customer has whole)."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def sign_in_subjects(name: str, address: str | None) -> list[Subject]:
    """What an attempt to sign in counts for."""
    account, place = name.strip().casefold()[:254], network(address)
    return [(ACCOUNT_FROM_ADDRESS, f"{account} {place}"), (ACCOUNT, account), (ADDRESS, place)]


def attempt(subjects: Sequence[Subject], now: datetime | None = None) -> int:
    """Count an attempt for all of these. Seconds to wait where it may not be made yet (it is not counted then); else 0.

    In a transaction of its own, so that what follows cannot take the count back.
    """
    moment = now or timezone.now()
    with platform_context():
        rows = []
        # In one order everywhere, so that two attempts never wait for each other.
        for key, rule in sorted(((_key(subject), subject[0]) for subject in subjects), key=lambda pair: pair[0]):
            Throttle.objects.bulk_create([Throttle(pk=key, last_at=moment)], ignore_conflicts=True)
            rows.append((rule, Throttle.objects.select_for_update().get(pk=key)))
        waits = [_left(rule, row, moment) for rule, row in rows]
        if any(waits):
            return max(waits)
        for rule, row in rows:
            forgotten = moment - row.last_at > timedelta(seconds=rule.forget_s)
            row.failures = 1 if forgotten else row.failures + 1
            row.last_at = max(row.last_at, moment) + timedelta(seconds=rule.every_s) if rule.every_s else moment
            row.save(update_fields=["failures", "last_at", "updated_at"])
    return 0


def forgive(subjects: Sequence[Subject]) -> None:
    """The attempt succeeded: what was counted for these is forgotten."""
    with platform_context():
        Throttle.objects.filter(pk__in=[_key(subject) for subject in subjects]).delete()


def forgive_sign_in(name: str, address: str | None) -> None:
    """The password was right. The address gets this attempt back, not the others: they were at other accounts."""
    subjects = sign_in_subjects(name, address)
    forgive([subject for subject in subjects if not subject[0].every_s])
    with platform_context():
        for subject in subjects:
            back = timedelta(seconds=subject[0].every_s)
            if back:
                Throttle.objects.filter(pk=_key(subject)).update(last_at=models.F("last_at") - back)


def sweep(now: datetime | None = None) -> int:
    """Forget what is older than any rule remembers."""
    with platform_context():
        return Throttle.objects.filter(last_at__lt=(now or timezone.now()) - timedelta(days=2)).delete()[0]


def _left(rule: Rule, row: Throttle, now: datetime) -> int:
    passed = (now - row.last_at).total_seconds()
    if rule.every_s:
        return max(0, math.ceil(-passed - (rule.free - 1) * rule.every_s))
    if passed > rule.forget_s:
        return 0
    return max(0, math.ceil(rule.wait_s(row.failures) - passed))


def _key(subject: Subject) -> str:
    rule, text = subject
    return hmac.new(settings.SECRET_KEY.encode(), f"throttle {rule.name} {text}".encode(), hashlib.sha256).hexdigest()
