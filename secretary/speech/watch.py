"""Named deadlines of one call: each is set, moved or cleared by its name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Watch:
    def __init__(self) -> None:
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def set(self, name: str, seconds: float, call: Callable[[], None]) -> None:
        """`call` in so many seconds, unless cleared or set anew."""
        self.clear(name)

        def due() -> None:
            self._timers.pop(name, None)
            call()

        self._timers[name] = asyncio.get_running_loop().call_later(seconds, due)

    def clear(self, *names: str) -> None:
        for name in names:
            if (timer := self._timers.pop(name, None)) is not None:
                timer.cancel()

    def clear_all(self) -> None:
        self.clear(*tuple(self._timers))

    def pending(self, name: str) -> bool:
        return name in self._timers

    def left(self, name: str, default: float) -> float:
        """Seconds until it is due; `default` where it is not set."""
        timer = self._timers.get(name)
        return default if timer is None else max(0.0, timer.when() - asyncio.get_running_loop().time())
