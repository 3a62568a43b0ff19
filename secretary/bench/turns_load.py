"""The callers of `bench turns`, over direct UDP: they speak, interrupt each answer, make noises, and carry marks."""

from __future__ import annotations

import itertools
import json
import os
import random
import sys
import time
from collections import Counter
from typing import Any, Final

import numpy as np

from eslbridge.media.contract import FRAME_MS, RATE
from secretary.bench import marks, sounds
from secretary.bench.media_ends import UdpCall
from secretary.bench.media_load import Load as MediaLoad
from secretary.bench.media_load import ask, say

CYCLE_FRAMES: Final = 500
NOISE_FRAME: Final = 330
"""Where in its cycle of ten seconds a caller makes a noise: the answer is being spoken by then."""
NOISE_FRAMES: Final = 50
MARK_EVERY: Final = 50
JUDGE_S: Final = 0.7
"""So long after the noise's beginning the voice must still be there."""


def noises() -> dict[str, list[bytes]]:
    """A second of each sound that is no speech."""
    count = NOISE_FRAMES * FRAME_MS * RATE // 1000
    at = np.arange(count) / RATE
    dice = np.random.default_rng(8001)
    waves = {
        "noise": dice.standard_normal(count) * 0.012,
        "dtmf": (np.sin(2 * np.pi * 852 * at) + np.sin(2 * np.pi * 1336 * at)) * 0.12,
        "ringback": np.sin(2 * np.pi * 425 * at) * 0.1,
    }
    return {name: sounds.frames((wave * 32_767).astype("<i2").tobytes()) for name, wave in waves.items()}


class Caller(UdpCall):
    """One caller. `noise`: the name of what it makes besides speech; empty for none."""

    numbers = itertools.count(1)

    def __init__(self, *, noise: str, frames: list[bytes], **options: Any) -> None:
        super().__init__(**options)
        self.noise = noise
        self._noise = frames
        self.marks_sent: list[tuple[int, float]] = []
        self.marks_arrived: list[tuple[int, float]] = []
        self.noises = self.false_stops = 0
        self._noise_at = 0.0

    def send_next(self, *, measuring: bool) -> None:
        at = self._at % self._cycle
        now = time.time()
        if self._noise_at and now - self._noise_at > JUDGE_S:
            self.false_stops += now - self._last_voice > 0.2
            self._noise_at = 0.0
        if at == NOISE_FRAME and self.noise and measuring and now - self._last_voice < 0.1:
            self.noises += 1
            self._noise_at = now
        super().send_next(measuring=measuring)

    def _send(self, frame: bytes) -> None:
        at = (self._at - 1) % self._cycle
        if self.noise and NOISE_FRAME <= at < NOISE_FRAME + NOISE_FRAMES:
            frame = self._noise[at - NOISE_FRAME]
        elif frame is self._hush and at % MARK_EVERY == 0:
            number = next(self.numbers)
            mark = marks.linear(number)
            frame = mark + frame[len(mark) :]
            self.marks_sent.append((number, time.time()))
        super()._send(frame)

    def read(self) -> None:
        try:
            while True:
                data, ancillary, _, _ = self._socket.recvmsg(2048, 64)
                at = self.arrival(ancillary)
                self._noticed(at, data != self._hush)
                if (number := marks.find_linear(data)) is not None:
                    self.marks_arrived.append((number, at))
        except BlockingIOError:
            return


class Load(MediaLoad):
    """All callers; every third makes noises."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__({"transport": "direct-udp", "calls": 0, "seed": 1})
        rng = random.Random(8001)  # noqa: S311 - the same load each time
        made, clips = noises(), sounds.callers()
        names = list(made)
        for n in range(config["calls"]):
            clip = clips[n % len(clips)]
            noise = names[n // 3 % len(names)] if n % 3 == 0 else ""
            call = Caller(
                noise=noise,
                frames=made.get(noise, []),
                clip=sounds.frames(clip),
                onset_ms=sounds.onset_ms(clip),
                cycle_frames=CYCLE_FRAMES,
                first_frame=rng.randrange(CYCLE_FRAMES),
                transport="direct-udp",
            )
            self.calls.append(call)


def main() -> None:
    config = json.loads(sys.argv[1])
    os.sched_setaffinity(0, {config["core"]})
    load = Load(config)
    callers = [call for call in load.calls if isinstance(call, Caller)]
    say({"addresses": [call.address for call in callers]})
    load.connect(ask() | {"urls": []})
    say({"connected": True})
    plan = ask()
    begin = time.monotonic() + plan["begin"] - time.time()
    measure_from = begin + plan["warm_up"]
    load.run(begin, measure_from, measure_from + plan["seconds"] + 0.2)
    noises_made: Counter[str] = Counter()
    false: Counter[str] = Counter()
    for call in callers:
        if call.noise:
            noises_made[call.noise] += call.noises
            false[call.noise] += call.false_stops
    say(
        {
            "sent": [mark for call in callers for mark in call.marks_sent],
            "arrived": [mark for call in callers for mark in call.marks_arrived],
            "stop_ms": [round(value, 2) for call in callers for value in call.stop_ms],
            "not_stopped": sum(call.not_stopped for call in callers),
            "noises": dict(noises_made),
            "false_stops": dict(false),
            "late_ms": round(load.late_ms, 2),
        }
    )


if __name__ == "__main__":
    main()
