"""One leg's audio: what the telephone says goes to everyone who listens, what is written goes to the telephone."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Protocol

from eslbridge.simulator.audio import FRAME_BYTES, FRAME_MS, mix
from eslbridge.simulator.phone import Phone
from eslbridge.simulator.recording import StereoRecording

if TYPE_CHECKING:
    from eslbridge.simulator.clock import Clock
    from eslbridge.simulator.media_udp import Unicast


class Tap(Protocol):
    """A media bug: hears the telephone, may add sound of its own."""

    def read(self, frame: bytes) -> None:
        """The telephone's next frame."""

    def sound(self, writing: bool) -> bytes | None:
        """A frame to mix in; `writing` says whether anything else writes to the telephone."""


class Player:
    """A file being played to the telephone."""

    def __init__(self, pcm: bytes) -> None:
        self.pcm = pcm
        self.position = 0
        self.done = asyncio.Event()
        self.broken = False

    def pop(self) -> bytes | None:
        if self.broken or self.position >= len(self.pcm):
            self.done.set()
            return None
        frame = self.pcm[self.position : self.position + FRAME_BYTES]
        self.position += FRAME_BYTES
        return frame.ljust(FRAME_BYTES, b"\0")

    def break_off(self) -> None:
        self.broken = True
        self.done.set()


class LegMedia:
    """The audio of one leg, moved by `tick` once each 20 ms."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self.live = False
        self.parked = False
        """Unicast audio flows only while the leg sits in park and runs no blocking application."""
        self.unicast: Unicast | None = None
        self.taps: list[Tap] = []
        self.player: Player | None = None
        self.other: LegMedia | None = None
        self.from_other: deque[bytes] = deque(maxlen=3)
        self.parted = asyncio.Event()
        self.recorder: StereoRecording | None = None
        self.silence_when_idle = False
        self.frames_in = 0
        self.frames_out = 0

    def tick(self) -> None:
        if not self.live:
            return
        said = self.phone.next_frame()
        if not self.live:  # the telephone hung up
            return
        self.frames_in += 1
        unicast = self.unicast
        if unicast is not None and self.parked:
            unicast.send(said, comfort_noise=self.phone.comfort_noise)
        for tap in self.taps:
            tap.read(said)
        if self.other is not None:
            self.other.from_other.append(said)
        heard: bytes | None = None
        if self.player is not None:
            heard = self.player.pop()
        elif self.other is not None:
            heard = self.from_other.popleft() if self.from_other else None
        elif unicast is not None:
            heard = unicast.playout.pop()
        writing = heard is not None or self.player is not None or self.other is not None or self.silence_when_idle
        for tap in self.taps:
            sound = tap.sound(writing)
            if sound is not None:
                heard = sound if heard is None else mix(heard, sound)
        if heard is not None:
            self.frames_out += 1
        if self.recorder is not None:
            self.recorder.write(said, heard)
        self.phone.hear(heard)

    def join(self, other: LegMedia) -> None:
        """Bridge two legs."""
        self.part()
        other.part()
        self.other, other.other = other, self
        self.parted.clear()
        other.parted.clear()

    def part(self) -> None:
        if self.other is not None:
            self.other.parted.set()
            self.other.other = None
            self.other = None
            self.parted.set()
        self.from_other.clear()

    def close(self) -> None:
        self.live = False
        self.part()
        if self.player is not None:
            self.player.break_off()
        if self.recorder is not None:
            self.recorder.close()
            self.recorder = None
        self.taps.clear()


class MediaTicker:
    """Ticks every leg each 20 ms on an absolute schedule; legs are spread over four phases, as RTP streams are."""

    PHASES = 4

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.phases: list[dict[LegMedia, None]] = [{} for _ in range(self.PHASES)]
        self.late_ticks = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def add(self, leg: LegMedia) -> None:
        min(self.phases, key=len)[leg] = None

    def remove(self, leg: LegMedia) -> None:
        for phase in self.phases:
            phase.pop(leg, None)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        step = self.clock.real(FRAME_MS / 1000 / self.PHASES)
        due = loop.time() + step
        turn = 0
        while True:
            delay = due - loop.time()
            if delay > 0:
                await asyncio.sleep(delay)
            else:
                await asyncio.sleep(0)
                if delay < -20 * step * self.PHASES:
                    # The machine slept: a switch's clock would skip, not burst 400 ms of audio.
                    self.late_ticks += 1
                    due = loop.time()
            for leg in list(self.phases[turn]):
                leg.tick()
            turn = (turn + 1) % self.PHASES
            due += step
