"""Virtual time for audio: a clock that moves when a test says so, and a listener that writes down what it was told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from eslbridge.media.clock import PHASE_S, MediaClock
from eslbridge.media.counters import MediaCounters


class Listener:
    """Writes down what a leg tells its conversation."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.drained = 0
        self.lost: list[str] = []

    def on_frame(self, frame: bytes) -> None:
        self.frames.append(frame)

    def on_drained(self) -> None:
        self.drained += 1

    def on_lost(self, reason: str) -> None:
        self.lost.append(reason)


class VirtualClock(MediaClock):
    """A media clock without a loop: `run(ms)` lets time pass in phases of 5 ms."""

    def __init__(self, counters: MediaCounters) -> None:
        self.time = 1000.0
        super().__init__(counters, now=lambda: self.time)
        self._start = self.time

    def run(self, ms: float) -> None:
        for _ in range(round(ms / (PHASE_S * 1000))):
            self.time += PHASE_S
            self.advance()

    def jump(self, ms: float) -> None:
        """Let time pass without being able to act, and then act once."""
        self.time += ms / 1000
        self.advance()


@pytest.fixture
def counters() -> MediaCounters:
    return MediaCounters()


@pytest.fixture
def clock(counters: MediaCounters) -> Iterator[VirtualClock]:
    yield VirtualClock(counters)


@pytest.fixture
def listener() -> Listener:
    return Listener()
