"""Which UDP port FreeSWITCH binds for a call: one for each call, from a range that belongs to the switch.

A port rests after its call. FreeSWITCH closes its socket a moment after the call has left park, and its last datagrams
may still be under way: a new call on the same port would hear them.
"""

from __future__ import annotations

import random
from collections import deque
from typing import Final

QUARANTINE_S: Final = 5.0


class NoPortError(Exception):
    """Every port of this switch is in use or resting."""


class PortPool:
    """The ports of one switch, as one node sees them. Time is passed in (seconds, monotonic).

    Several nodes may share a switch and a range: each begins somewhere else, and `attach_leg` tries another port when
    FreeSWITCH could not bind one.
    """

    def __init__(self, first: int = 10000, last: int = 10100, *, quarantine_s: float = QUARANTINE_S) -> None:
        if not 1024 <= first <= last <= 65535:
            raise ValueError(f"no range of UDP ports: {first}-{last}")
        ports = list(range(first, last + 1))
        start = random.randrange(len(ports))  # noqa: S311 - spreads nodes, protects nothing
        self._free = deque(ports[start:] + ports[:start])
        self._resting: deque[tuple[float, int]] = deque()
        self._used: set[int] = set()
        self._quarantine_s = quarantine_s

    @property
    def used(self) -> int:
        return len(self._used)

    def take(self, now: float) -> int:
        """The port that has been free the longest. Raises NoPortError."""
        while self._resting and self._resting[0][0] <= now:
            self._free.append(self._resting.popleft()[1])
        if not self._free:
            raise NoPortError(f"{len(self._used)} ports in use, {len(self._resting)} resting, none free")
        port = self._free.popleft()
        self._used.add(port)
        return port

    def give_back(self, port: int, now: float) -> None:
        """Idempotent; a port that is not in use is ignored."""
        if port in self._used:
            self._used.discard(port)
            self._resting.append((now + self._quarantine_s, port))
