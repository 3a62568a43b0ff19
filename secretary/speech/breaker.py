"""A provider that is out of order is left alone for a while, instead of being tried by every call.

Counted per access: a tenant's bad key is that tenant's alone. What tells about the provider itself (not reached, key
not accepted, asked too much) counts for all who share an access, such as the installation's; what may lie in what a
tenant asks for (refused, not understood) counts for that tenant. After the pause one call tries; the others go past
until it is known how that went.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from secretary.speech.contract import FailureKind
from secretary.speech.steps import Step

FAILURES: Final = 3
"""In a row, until a provider is left alone; a key that is not accepted, or a limit, needs one."""
PAUSE_S: Final = 10.0
LONGEST_PAUSE_S: Final = 300.0
PROBE_S: Final = 15.0
"""A call that tries and never tells how it went is forgotten after this long."""
MOST: Final = 2_000
_AT_ONCE: Final = frozenset({"auth", "rate_limited"})
_SHARED: Final = frozenset({"auth", "rate_limited", "unreachable"})


@dataclass(slots=True)
class _State:
    failures: int = 0
    pauses: int = 0
    until: float = 0.0
    probing_until: float = 0.0


class Breaker:
    """All circuits of a node. `now` in seconds, of any monotonic clock."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._states: OrderedDict[Hashable, _State] = OrderedDict()

    @property
    def open(self) -> int:
        """How many are left alone now."""
        now = self._now()
        return sum(state.until > now for state in self._states.values())

    def allows(self, step: Step, domain_uuid: str) -> bool:
        """Whether this provider is worth a try. Ask once per try: after a pause the first one asked is the probe."""
        now = self._now()
        states = [state for key in _keys(step, domain_uuid) if (state := self._states.get(key)) is not None]
        if any(state.until > now or state.probing_until > now for state in states):
            return False
        for state in states:
            if state.pauses:
                state.probing_until = now + PROBE_S
        return True

    def succeeded(self, step: Step, domain_uuid: str) -> None:
        for key in _keys(step, domain_uuid):
            self._states.pop(key, None)

    def failed(self, step: Step, domain_uuid: str, kind: FailureKind, retry_after_s: float | None = None) -> None:
        if kind == "expired":
            return
        shared, own = _keys(step, domain_uuid)
        key = shared if kind in _SHARED else own
        state = self._states.setdefault(key, _State())
        self._states.move_to_end(key)
        if len(self._states) > MOST:
            self._states.popitem(last=False)
        state.failures += 1
        state.probing_until = 0.0
        if state.failures < FAILURES and kind not in _AT_ONCE and not state.pauses:
            return
        pause = min(LONGEST_PAUSE_S, PAUSE_S * 2**state.pauses)
        if retry_after_s is not None:
            pause = min(LONGEST_PAUSE_S, max(1.0, retry_after_s))
        state.pauses = min(state.pauses + 1, 8)
        state.until = self._now() + pause


def _keys(step: Step, domain_uuid: str) -> tuple[Hashable, Hashable]:
    """Of all who share the access, and of this tenant. A key that was mended is another access, with a new circuit."""
    shared = (step.provider, step.access)
    return shared, (shared, domain_uuid)
