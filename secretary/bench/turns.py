"""What the platform adds to a provider's own delay, and how soon it stops: `manage.py bench turns`.

Three kinds of process. The node is the product's audio half with its conversation and its OpenAI Realtime provider, on
one core. The stand-in provider answers each turn after a known delay. The load plays the switch and the callers. Marks
in the audio, in both directions, are noted when they are sent and when they arrive:

    added_ms = (caller's frame sent → at the provider's socket) + (provider's audio sent → first frame at the switch)

Callers interrupt every answer (`stop_ms`); a third of them also make noises into it that are no speech (white noise, a
DTMF tone, a ringback tone): a voice that stops for one of those is counted in `false_stop_percent`.
"""

from __future__ import annotations

import argparse
import os
import time
from bisect import bisect_right
from typing import Any, Final

from secretary.bench.media import Child, percentiles

WARM_UP_S: Final = 6.0
"""The first answers: every call has been answered once."""
DELAY_MS: Final = 300


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30.0, help="length of the measurement, after a warm-up of 6 s")
    parser.add_argument("--delay-ms", type=int, default=DELAY_MS, help="how long the stand-in provider thinks")
    parser.add_argument("--core", type=int, default=0, help="the core the node is pinned to")
    parser.add_argument("--profile", default="", help="write a cProfile of the node here")
    parser.add_argument("--json", action="store_true", help="only one line of JSON, at the end")


def run(options: dict[str, Any]) -> dict[str, Any]:
    """Run one measurement and give its figures. Raises RuntimeError when a process fails."""
    calls, seconds = int(options["calls"]), float(options["seconds"])
    if calls < 1:
        raise RuntimeError("at least one call")
    cores = sorted(os.sched_getaffinity(0))
    core = cores[int(options.get("core") or 0) % len(cores)]
    others = [other for other in cores if other != core] or [core]
    children: list[Child] = []
    try:
        provider = Child(
            "secretary.bench.realtime_standin",
            {"core": others[0], "delay_ms": int(options.get("delay_ms") or DELAY_MS)},
        )
        children.append(provider)
        load = Child("secretary.bench.turns_load", {"core": others[-1], "calls": calls})
        children.append(load)
        url = f"ws://127.0.0.1:{provider.read()['port']}/v1/realtime"
        node = Child(
            "secretary.bench.turns_node",
            {
                "core": core,
                "url": url,
                "addresses": load.read()["addresses"],
                "profile": options.get("profile") or "",
            },
        )
        children.append(node)
        load.write({"udp": node.read()["udp"]})
        load.read()
        begin = time.time() + 0.5
        load.write({"begin": begin, "warm_up": WARM_UP_S, "seconds": seconds})
        time.sleep(max(begin + WARM_UP_S - time.time(), 0))
        node.write({"measure": "begin"})
        time.sleep(seconds)
        node.write({"measure": "end"})
        measured = node.read()
        heard = load.read()
        provider.write({"measure": "end"})
        spoken = provider.read()
        node.write({"measure": "stop"})
        node.read()
    finally:
        for child in reversed(children):
            child.close()
    return _report(calls, begin + WARM_UP_S, measured, heard, spoken)


def _report(
    calls: int, since: float, measured: dict[str, Any], heard: dict[str, Any], spoken: dict[str, Any]
) -> dict[str, Any]:
    into = under_way(heard["sent"], spoken["arrived"], since)
    out = under_way(spoken["sent"], heard["arrived"], since)
    # Each answer's way out with the way in of what was heard last before it: both as they were at that moment.
    moments = [at for at, _ in into]
    together = [ms + into[at - 1][1] for moment, ms in out if (at := bisect_right(moments, moment)) > 0]
    stops = sorted(heard["stop_ms"])
    noises = heard["noises"]
    return {
        "calls": calls,
        "cpu_percent": measured["cpu_percent"],
        "waited_for_core_percent": measured["waited_for_core_percent"],
        "core_used_by_others_percent": measured["core_used_by_others_percent"],
        "rss_mb": measured["rss_mb"],
        "answers": len(out),
        "added_ms": percentiles(sorted(together)),
        "added_in_ms": percentiles(sorted(ms for _, ms in into)),
        "added_out_ms": percentiles(sorted(ms for _, ms in out)),
        "stop_ms": percentiles(stops),
        "interruptions": len(stops),
        "not_stopped": heard["not_stopped"],
        "noises": noises,
        "false_stops": heard["false_stops"],
        "false_stop_percent": round(100 * sum(heard["false_stops"].values()) / max(sum(noises.values()), 1), 2),
        "failed": measured["failed"],
        "loop_lag_ms": measured["loop_lag_ms"],
        "load_late_ms": heard["late_ms"],
    }


def under_way(
    sent: list[tuple[int, float]], arrived: list[tuple[int, float]], since: float
) -> list[tuple[float, float]]:
    """(when it arrived, ms under way) of every mark that was sent after `since` and found, in the order of arrival."""
    at = {number: moment for number, moment in sent}
    ways = [(there, (there - at[number]) * 1000) for number, there in arrived if at.get(number, 0) >= since]
    return sorted(ways)
