"""The load of `bench media`: a switch with many callers, in real time. Speaks JSON with `media.py`.

One thread and no event loop: each step of the 20 ms sends for the calls whose turn it is and reads what has come.
Callers speak a third of the time, in cycles of ten seconds that begin at a different moment for each of them.
"""

from __future__ import annotations

import json
import os
import random
import select
import sys
import time
from typing import Any, Final

from . import sounds
from .media_ends import Call, UdpCall, WebSocketCall

_STEPS: Final = 10
"""Of 2 ms, in each 20 ms: calls send at different moments, as phones do."""
_CYCLE_FRAMES: Final = 500


def ask() -> dict[str, Any]:
    line = sys.stdin.readline()
    if not line:
        raise SystemExit(1)
    message: dict[str, Any] = json.loads(line)
    return message


def say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


class Load:
    """All calls of this process."""

    def __init__(self, config: dict[str, Any]) -> None:
        transport = config["transport"]
        rng = random.Random(config["seed"])  # noqa: S311 - the same load each time
        clips = sounds.callers()
        self.calls: list[Call] = []
        for n in range(config["calls"]):
            clip = clips[n % len(clips)]
            kind = UdpCall if transport.startswith("direct-udp") else WebSocketCall
            call = kind(
                clip=sounds.frames(clip),
                onset_ms=sounds.onset_ms(clip),
                cycle_frames=_CYCLE_FRAMES,
                first_frame=rng.randrange(_CYCLE_FRAMES),
                transport=transport,
            )
            self.calls.append(call)
        self.poll = select.epoll()
        self.by_fd: dict[int, Call] = {}
        self.late_ms = 0.0

    def connect(self, plan: dict[str, Any]) -> None:
        for n, call in enumerate(self.calls):
            call.connect(tuple(plan["udp"]), plan["urls"][n] if plan["urls"] else "")
            self.by_fd[call.fileno()] = call
            self.poll.register(call.fileno(), select.EPOLLIN)

    def read(self, timeout_s: float) -> None:
        for fd, _ in self.poll.poll(timeout_s):
            self.by_fd[fd].read()

    def run(self, begin: float, measure_from: float, until: float) -> None:
        """Speak and listen. Times are of the monotonic clock."""
        turns = [self.calls[step::_STEPS] for step in range(_STEPS)]
        due, step = begin, 0
        while due < until:
            wait = due - time.monotonic()
            if wait > 0:
                self.read(wait)
                continue
            if due >= measure_from:
                self.late_ms = max(self.late_ms, -wait * 1000)
            for call in turns[step % _STEPS]:
                call.send_next(measuring=due >= measure_from)
            step += 1
            due = begin + step * 0.002
            self.read(0)


def main() -> None:
    config = json.loads(sys.argv[1])
    os.sched_setaffinity(0, {config["core"]})
    load = Load(config)
    say({"addresses": [call.address for call in load.calls]})
    load.connect(ask())
    say({"connected": True})
    plan = ask()
    begin = time.monotonic() + plan["begin"] - time.time()
    measure_from = begin + plan["warm_up"]
    used = time.process_time()
    load.run(begin, measure_from, measure_from + plan["seconds"] + 0.2)
    cpu = 100 * (time.process_time() - used) / (plan["warm_up"] + plan["seconds"])
    say(
        {
            "sent": sum(call.sent for call in load.calls),
            "jitter_ms": [round(value, 3) for call in load.calls for value in call.jitter_ms],
            "stop_ms": [round(value, 2) for call in load.calls for value in call.stop_ms],
            "not_stopped": sum(call.not_stopped for call in load.calls),
            "cpu_percent": round(cpu, 1),
            "late_ms": round(load.late_ms, 2),
        }
    )
    # Go on listening until the server has said that nothing more leaves it.
    stdin = select.epoll()
    stdin.register(sys.stdin, select.EPOLLIN)
    while not stdin.poll(0):
        load.read(0.02)
    ask()
    for _ in range(20):
        load.read(0.01)
    say({"received": sum(call.received for call in load.calls)})


if __name__ == "__main__":
    main()
