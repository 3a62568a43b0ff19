"""What a call uses of its providers, by provider, model and unit, and what that costs so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from secretary.speech.steps import Step

SECOND: Final = "second"
Key = tuple[str, str, str]
"""Provider, model, unit."""


@dataclass(frozen=True, slots=True)
class Used:
    provider: str
    model: str
    unit: str
    quantity: float


class Metered:
    """One call's. Prices are those of its beginning, of one unit, in the installation's currency."""

    def __init__(
        self,
        prices: Mapping[Key, float] | None = None,
        before: Iterable[Used] = (),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`before`: what was used on a node that is gone."""
        self._prices = dict(prices or {})
        self._now = now
        self._used: dict[Key, float] = {(one.provider, one.model, one.unit): one.quantity for one in before}
        self._who: tuple[str, str] = ("", "")
        self._since: float | None = None

    @property
    def longest(self) -> tuple[str, str]:
        """Provider and model that had the call for longest; empty: none had it."""
        times = {(one.provider, one.model): one.quantity for one in self.used() if one.unit == SECOND}
        return max(times, key=lambda who: times[who], default=("", ""))

    def begins(self, step: Step) -> None:
        """This provider has the call from now on."""
        self.ends()
        self._who, self._since = (step.provider, step.model[:120]), self._now()

    def ends(self) -> None:
        """Nobody has the call any more."""
        since, self._since = self._since, None
        if since is not None:
            self._count(SECOND, self._now() - since)

    def add(self, unit: str, quantity: float, model: str = "") -> None:
        """What the provider itself counts, of its own model or of another. Absurd numbers are not believed."""
        if 0 < quantity < 1e9 and unit != SECOND:
            self._count(unit, quantity, model)

    def add_for(self, step: Step, unit: str, quantity: float) -> None:
        """Something used of a provider that does not have the call: a summary, say."""
        who, self._who = self._who, (step.provider, step.model[:120])
        self.add(unit, quantity)
        self._who = who

    def _count(self, unit: str, quantity: float, model: str = "") -> None:
        provider, own = self._who
        key = (provider, model[:120] or own, unit[:24])
        if key in self._used or len(self._used) < 64:
            self._used[key] = self._used.get(key, 0.0) + quantity

    def used(self) -> tuple[Used, ...]:
        """So far, the running provider's time among it."""
        found = dict(self._used)
        if self._since is not None:
            key = (*self._who, SECOND)
            found[key] = found.get(key, 0.0) + self._now() - self._since
        return tuple(Used(*key, round(quantity, 3)) for key, quantity in found.items())

    @property
    def cost(self) -> float:
        """What the call costs so far, in the installation's currency: an estimate for limits, not the bill."""
        return sum(one.quantity * self.price(one.provider, one.model, one.unit) for one in self.used())

    @property
    def spent(self) -> float:
        """The same without the seconds, which quotas count by themselves."""
        items = (one for one in self.used() if one.unit != SECOND)
        return sum(one.quantity * self.price(one.provider, one.model, one.unit) for one in items)

    def price(self, provider: str, model: str, unit: str) -> float:
        return self._prices.get((provider, model, unit), self._prices.get((provider, "", unit), 0.0))
