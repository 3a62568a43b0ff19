"""The clock must keep an absolute schedule, share legs over its phases, and survive what legs do."""

from __future__ import annotations

import asyncio
import time

import pytest

from eslbridge.media.clock import PHASES, MediaClock


class Leg:
    def __init__(self, clock=None, fail=False):
        self.clock = clock
        self.times = []
        self.fail = fail
        self.broken = []

    def tick(self):
        if self.fail:
            raise RuntimeError("on purpose")
        self.times.append(self.clock.time if self.clock else time.monotonic())

    def broke(self, reason):
        self.broken.append(reason)


def test_each_leg_ticks_once_in_20_ms_without_drift(clock):
    """1,000 ticks in 20 s, each 20 ms after the one before."""
    leg = Leg(clock)
    clock.add(leg)
    clock.run(20_000)
    assert len(leg.times) == 1000
    gaps = [b - a for a, b in zip(leg.times, leg.times[1:], strict=False)]
    assert max(gaps) == pytest.approx(0.020, abs=1e-6)
    assert min(gaps) == pytest.approx(0.020, abs=1e-6)


def test_legs_are_balanced_over_the_phases_also_after_some_left(clock):
    """No phase carries more than one leg more than another."""
    legs = [Leg(clock) for _ in range(10)]
    for leg in legs:
        clock.add(leg)
    for leg in legs[::2]:
        clock.remove(leg)
        clock.remove(leg)
    for _ in range(7):
        clock.add(Leg(clock))
    sizes = [len(turn) for turn in clock._turns]
    assert sum(sizes) == len(clock) == 12
    assert max(sizes) - min(sizes) == 0


def test_a_late_phase_is_caught_up(clock, counters):
    """40 ms without the loop: both missed ticks run at once, the next ones keep their own time."""
    leg = Leg(clock)
    clock.add(leg)
    clock.run(100)
    before = len(leg.times)
    clock.jump(40)
    assert len(leg.times) == before + 2
    assert counters.ticks_skipped == 0
    assert counters.ticks_late > 0
    clock.run(200)
    assert len(leg.times) == before + 12


def test_what_is_more_than_60_ms_late_is_given_up_and_counted(clock, counters):
    """Half a second without the loop: 60 ms are caught up, the rest is skipped, and the schedule stands."""
    leg = Leg(clock)
    clock.add(leg)
    clock.run(100)
    before = len(leg.times)
    clock.jump(500)
    assert before + 3 <= len(leg.times) <= before + 4
    assert counters.frames_skipped >= 21
    assert clock.max_lag_ms == pytest.approx(495, abs=6)
    clock.run(100)
    assert len(leg.times) + counters.frames_skipped == 35


def test_hooks_run_around_the_legs_of_every_phase(clock):
    """What must come first, then the frames, then the work that may take a while; in each 5 ms."""
    order = []
    clock.before_phase(lambda: order.append("before"))
    clock.after_phase(lambda: order.append("after"))
    leg = Leg(clock)
    leg.tick = lambda: order.append("leg")
    clock.add(leg)
    clock.run(20)
    assert order.count("before") == order.count("after") == PHASES
    at = order.index("leg")
    assert order[at - 1 : at + 2] == ["before", "leg", "after"]


def test_a_failing_leg_leaves_the_clock_and_the_others_go_on(clock, counters):
    """One call's error is nobody else's silence."""
    bad, good = Leg(clock, fail=True), Leg(clock)
    clock.add(bad)
    clock.add(good)
    clock.run(100)
    assert bad.broken == ["internal error in the audio leg"]
    assert len(good.times) == 5
    assert counters.listener_errors == 1


def test_a_failing_hook_does_not_stop_the_clock(clock):
    """Nor does one bad hook."""
    clock.before_phase(lambda: 1 / 0)
    leg = Leg(clock)
    clock.add(leg)
    clock.run(100)
    assert len(leg.times) == 5


def test_a_leg_may_leave_within_its_own_tick(clock):
    """Closing on the last frame must not disturb the others of the phase."""
    legs = [Leg(clock) for _ in range(8)]
    for leg in legs:
        clock.add(leg)
    first = legs[0]
    first.tick = lambda: clock.remove(first)
    clock.run(40)
    assert all(len(leg.times) == 2 for leg in legs[1:])


async def test_on_a_real_loop_it_keeps_time(counters):
    """0.3 s of real time: 15 ticks, give or take one."""
    clock = MediaClock(counters)
    leg = Leg()
    clock.add(leg)
    clock.start()
    await asyncio.sleep(0.3)
    clock.stop()
    clock.stop()
    seen = len(leg.times)
    assert 13 <= seen + counters.frames_skipped <= 16
    await asyncio.sleep(0.05)
    assert len(leg.times) == seen
