"""The switch's idea of time. Tests make it run faster than the wall's."""

from __future__ import annotations

import asyncio


class Clock:
    """Seconds of the simulated world; `speed` of them pass in one real second.

    Everything that waits in the simulator (audio frames, time-outs, ringing, watchdogs) waits here, so a test with
    `speed=50` sees the 24.5 s of a silent listener pass in half a second.
    """

    def __init__(self, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError("speed must be positive")
        self.speed = speed

    def now(self) -> float:
        """Seconds on an arbitrary, steady scale."""
        return asyncio.get_running_loop().time() * self.speed

    def real(self, seconds: float) -> float:
        """How long `seconds` of this clock take on the wall, for `asyncio.timeout` and `call_later`."""
        return seconds / self.speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(self.real(seconds) if seconds > 0 else 0)
