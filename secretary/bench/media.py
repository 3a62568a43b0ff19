"""How many calls one core carries: `manage.py bench media`.

Two kinds of process. The server is the voice node's audio half as it is: media node, legs, voice activity, and an
agent for each call that answers with speech and falls silent when interrupted; it is pinned to one core. The load
plays the switch and the callers on the other cores: frames of recorded speech in real time, each caller speaking a
third of the time and interrupting the agent each time.

What is counted where: CPU, memory and loop lag in the server; jitter, lost frames and stopping times at the load,
which is where a switch would notice them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from typing import IO, Any, Final

TRANSPORTS: Final = ("direct-udp", "direct-udp-g711", "mod-audio-stream", "mod-audio-stream-json")
"""`mod-audio-stream` here is its binary dialect, the one in which audio flows both ways on the WebSocket."""
_WARM_UP_S: Final = 3.0
_MOST_CALLS_A_LOAD: Final = 250
_PATIENCE_S: Final = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--transport", choices=TRANSPORTS, default="direct-udp")
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=15.0, help="length of the measurement, after a warm-up of 3 s")
    parser.add_argument("--core", type=int, default=0, help="the core the server is pinned to")
    parser.add_argument(
        "--agent",
        choices=("simple", "session"),
        default="session",
        help="who answers: the simplest agent, or the product's conversation with a provider of fixed answers",
    )
    parser.add_argument("--recording", action="store_true", help="with --agent session: record every call to disk")
    parser.add_argument("--no-vad", action="store_true", help="without voice activity: the transport alone")
    parser.add_argument("--thread", action="store_true", help="judge voice activity in a worker thread, to compare")
    parser.add_argument("--no-silence", action="store_true", help="send nothing between utterances, to compare")
    parser.add_argument("--profile", default="", help="write a cProfile of the server here")
    parser.add_argument("--json", action="store_true", help="only one line of JSON, at the end")


def run(options: dict[str, Any]) -> dict[str, Any]:
    """Run one measurement and give its figures. Raises RuntimeError when a process fails."""
    calls, transport = int(options["calls"]), str(options["transport"])
    if calls < 1:
        raise RuntimeError("at least one call")
    cores = sorted(os.sched_getaffinity(0))
    core = cores[int(options.get("core") or 0) % len(cores)]
    others = [other for other in cores if other != core] or [core]
    loads = -(-calls // _MOST_CALLS_A_LOAD)
    shares = [calls // loads + (n < calls % loads) for n in range(loads)]
    children: list[Child] = []
    try:
        server = Child(
            "secretary.bench.media_server",
            {
                "core": core,
                "transport": transport,
                "vad": not options.get("no_vad"),
                "agent": options.get("agent") or "simple",
                "recording": bool(options.get("recording")),
                "silence": not options.get("no_silence"),
                "thread": bool(options.get("thread")),
                "profile": options.get("profile") or "",
            },
        )
        children.append(server)
        clients = [
            Child(
                "secretary.bench.media_load",
                {"core": others[n % len(others)], "transport": transport, "calls": share, "seed": n},
            )
            for n, share in enumerate(shares)
        ]
        children += clients
        addresses = [address for client in clients for address in client.read()["addresses"]]
        server.write({"addresses": addresses, "calls": calls})
        ready = server.read()
        at = 0
        for client, share in zip(clients, shares, strict=True):
            client.write({"udp": ready["udp"], "urls": ready["urls"][at : at + share]})
            at += share
        for client in clients:
            client.read()
        begin = time.time() + 0.5
        for client in clients:
            client.write({"begin": begin, "warm_up": _WARM_UP_S, "seconds": float(options["seconds"])})
        time.sleep(max(begin + _WARM_UP_S - time.time(), 0))
        server.write({"measure": "begin"})
        time.sleep(float(options["seconds"]))
        server.write({"measure": "end"})
        measured = server.read()
        # The callers stop first, then the server: what is still under way then counts on neither side.
        heard = [client.read() for client in clients]
        server.write({"measure": "stop"})
        totals = server.read()
        for client in clients:
            client.write({"collect": True})
        collected = [client.read() for client in clients]
    finally:
        for child in children:
            child.close()
    return _report(transport, calls, measured, totals, heard, collected)


def _report(
    transport: str,
    calls: int,
    measured: dict[str, Any],
    totals: dict[str, Any],
    heard: list[dict[str, Any]],
    collected: list[dict[str, Any]],
) -> dict[str, Any]:
    jitter = sorted(value for one in heard for value in one["jitter_ms"])
    stops = sorted(value for one in heard for value in one["stop_ms"])
    sent = sum(one["sent"] for one in heard)
    received = sum(one["received"] for one in collected)
    return {
        "transport": transport,
        "calls": calls,
        "agent": measured["agent"],
        "cpu_percent": measured["cpu_percent"],
        "waited_for_core_percent": measured["waited_for_core_percent"],
        "core_used_by_others_percent": measured["core_used_by_others_percent"],
        "rss_mb": measured["rss_mb"],
        "rss_per_call_kb": measured["rss_per_call_kb"],
        "frames_in": totals["frames_in"],
        "frames_out": totals["frames_out"],
        "frames_lost": (sent - totals["frames_in"]) + (totals["frames_out"] - received) + totals["frames_skipped"],
        "frames_lost_in": sent - totals["frames_in"],
        "frames_lost_out": totals["frames_out"] - received,
        "frames_skipped": totals["frames_skipped"],
        "send_jitter_ms": percentiles(jitter),
        "stop_ms": percentiles(stops),
        "interruptions": len(stops),
        "not_stopped": sum(one["not_stopped"] for one in heard),
        "loop_lag_ms": measured["loop_lag_ms"],
        "vad": totals["vad"],
        "load_cpu_percent": [one["cpu_percent"] for one in heard],
        "load_late_ms": max(one["late_ms"] for one in heard),
    }


def percentiles(values: list[float]) -> dict[str, float]:
    """p50, p95, p99 and the greatest of sorted values; empty for none."""
    if not values:
        return {}
    last = len(values) - 1
    marks = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
    return {name: round(values[round(last * share)], 2) for name, share in marks}


class Child:
    """A process of ours that speaks one line of JSON at a time."""

    def __init__(self, module: str, config: dict[str, Any]) -> None:
        self._name = module
        self._process = subprocess.Popen(  # noqa: S603 - our own module, in our own interpreter
            [sys.executable, "-m", module, json.dumps(config)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def write(self, message: dict[str, Any]) -> None:
        stdin: IO[str] | None = self._process.stdin
        assert stdin is not None  # noqa: S101 - a pipe was asked for
        stdin.write(json.dumps(message) + "\n")
        stdin.flush()

    def read(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._name} ended with {self._process.wait(_PATIENCE_S)}")
        message: dict[str, Any] = json.loads(line)
        return message

    def close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)


def render(result: dict[str, Any]) -> str:
    """The figures as a small table."""
    return "\n".join(f"{name:>18}  {value}" for name, value in result.items())


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench media", description=__doc__)
    add_arguments(parser)
    options = vars(parser.parse_args())
    result = run(options)
    if not options["json"]:
        sys.stdout.write(render(result) + "\n")
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
