"""The node's one clock: every leg sends one frame each 20 ms, on a schedule that never drifts.

The 20 ms are divided into four phases of 5 ms, and each leg belongs to the least loaded one: a thousand legs then do
not send in one burst, and whatever runs once a phase (reading the UDP socket, judging voice activity) is never more
than 5 ms late. Times are absolute: phase n is due at start + n * 5 ms. A late phase runs at once and the next keeps
its own time; one that is more than 60 ms behind is given up and counted, because audio that late is worth less than
the audio after it.

Within a phase the legs send first. Reading and judging come after: their work varies with what arrives, and in front of
the legs it would make every frame leave a little earlier or later (p50 1.2 ms instead of 0.3 with 500 calls).

uvloop and asyncio both round timers to whole milliseconds: a phase may run up to half a millisecond early.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final, Protocol

from .contract import FRAME_MS
from .counters import MediaCounters

PHASES: Final = 4
PHASE_S: Final = FRAME_MS / 1000 / PHASES
GIVE_UP_S: Final = 0.060
_EARLY_S: Final = 0.0006
_LOG_EACH: Final = 2000
"""A hook that fails in every phase is told once in ten seconds."""
LAG_BUCKETS_MS: Final = (1, 2, 5, 10, 20, 50, 100)
"""Upper ends of the histogram of lateness; one more bucket holds what is later."""

log = logging.getLogger(__name__)


class Ticker(Protocol):
    """Something that acts once in each 20 ms."""

    def tick(self) -> None:
        """Called once each 20 ms, and at once for each tick that was late."""

    def broke(self, reason: str) -> None:
        """Its `tick` raised: it has been taken off the clock."""


class MediaClock:
    """One for each node, on the running event loop. `now` is for tests: seconds, monotonic."""

    def __init__(self, counters: MediaCounters, *, now: Callable[[], float] = time.monotonic) -> None:
        self._counters = counters
        self._now = now
        self._phases: list[list[Ticker]] = [[] for _ in range(PHASES)]
        self._turns: list[tuple[Ticker, ...]] = [()] * PHASES
        """What `_run_phase` walks through: a copy, because a leg may leave the clock from within its own tick."""
        self._phase_of: dict[Ticker, int] = {}
        self._before: tuple[Callable[[], None], ...] = ()
        self._after: tuple[Callable[[], None], ...] = ()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handle: asyncio.TimerHandle | None = None
        self._start = 0.0
        self._count = 0
        self._failures = 0
        self.lag_ms = 0.0
        """How late phases have been lately: rises at once, falls by a tenth with each phase on time."""
        self.max_lag_ms = 0.0
        self.lag_histogram: list[int] = [0] * (len(LAG_BUCKETS_MS) + 1)

    def __len__(self) -> int:
        return len(self._phase_of)

    def before_phase(self, hook: Callable[[], None]) -> None:
        """Call this at the beginning of each phase, before any leg of the phase sends. What takes long and not always
        equally long makes every leg's sending jitter: such work belongs into `after_phase`."""
        self._before = (*self._before, hook)

    def after_phase(self, hook: Callable[[], None]) -> None:
        """Call this at the end of each phase, in the order given, when its legs have sent."""
        self._after = (*self._after, hook)

    def start(self) -> None:
        """Run on the current event loop from now on."""
        self._loop = asyncio.get_running_loop()
        self._start = self._now()
        self._count = 0
        self._handle = self._loop.call_later(PHASE_S, self._wake)

    def stop(self) -> None:
        """Idempotent."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle = None
        self._loop = None

    def add(self, ticker: Ticker) -> None:
        """Give it a place in the phase that has the fewest."""
        phase = min(range(PHASES), key=lambda n: len(self._phases[n]))
        self._phases[phase].append(ticker)
        self._phase_of[ticker] = phase
        self._turns[phase] = tuple(self._phases[phase])

    def remove(self, ticker: Ticker) -> None:
        """Idempotent."""
        phase = self._phase_of.pop(ticker, None)
        if phase is not None:
            self._phases[phase].remove(ticker)
            self._turns[phase] = tuple(self._phases[phase])

    def _wake(self) -> None:
        loop = self._loop
        if loop is None:
            return
        self.advance()
        if self._loop is loop:
            self._handle = loop.call_later(
                max(self._start + (self._count + 1) * PHASE_S - self._now(), 0.0), self._wake
            )

    def advance(self) -> None:
        """Run every phase that is due. Called by the loop's timer; by hand in tests with a `now` of their own."""
        now = self._now()
        late_s = now - (self._start + (self._count + 1) * PHASE_S)
        self._note_lag(late_s)
        if late_s > GIVE_UP_S:
            self._skip(int((late_s - GIVE_UP_S) / PHASE_S) + 1)
        # Only what was due on waking: if the work itself takes longer than a phase, sockets get their turn in between.
        due = int((now + _EARLY_S - self._start) / PHASE_S)
        if due - self._count > 1:
            self._counters.ticks_late += due - self._count - 1
        while self._count < due:
            self._count += 1
            self._run_phase(self._count % PHASES)

    def _run_phase(self, phase: int) -> None:
        for hook in self._before:
            self._guarded(hook)
        for ticker in self._turns[phase]:
            try:
                ticker.tick()
            except Exception:
                self._counters.listener_errors += 1
                log.exception("an audio leg failed in its tick and is taken off the clock")
                self.remove(ticker)
                ticker.broke("internal error in the audio leg")
        for hook in self._after:
            self._guarded(hook)

    def _guarded(self, hook: Callable[[], None]) -> None:
        try:
            hook()
        except Exception:
            self._counters.listener_errors += 1
            failures = self._failures = self._failures + 1
            if failures == 1 or failures % _LOG_EACH == 0:
                log.exception("a hook of the media clock failed (%d times by now); going on", failures)

    def _skip(self, phases: int) -> None:
        for _ in range(phases):
            self._count += 1
            self._counters.frames_skipped += len(self._turns[self._count % PHASES])
        self._counters.ticks_skipped += phases

    def _note_lag(self, late_s: float) -> None:
        late_ms = late_s * 1000 if late_s > 0 else 0.0
        bucket = 0
        for end in LAG_BUCKETS_MS:
            if late_ms <= end:
                break
            bucket += 1
        self.lag_histogram[bucket] += 1
        if late_ms > self.max_lag_ms:
            self.max_lag_ms = late_ms
        self.lag_ms = late_ms if late_ms > self.lag_ms else self.lag_ms * 0.9 + late_ms * 0.1
