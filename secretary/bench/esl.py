"""How many calls' control connections one core carries: `manage.py bench esl`.

Two processes. The server is the voice node's ESL half as it is, with a handler that only keeps each call, pinned to one
core. The load plays FreeSWITCH on another core: it connects at a steady rate, answers `connect` with 7.5 KB of channel
data recorded from a real SIP call and the set-up commands as FreeSWITCH does, keeps every connection open, and in the
end sends events of 7 KB on many of them as fast as the server takes them.

`setup_ms` is what a caller waits: from the load's `connect()` until the server has read the channel's data and sent its
whole set-up; the greeting could start then. Memory is the growth of the server's resident set for the connections.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from typing import IO, Any, Final

_PATIENCE_S: Final = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=500.0, help="new connections a second")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long to send events")
    parser.add_argument("--talkers", type=int, default=200, help="connections that the events come on")
    parser.add_argument("--core", type=int, default=0, help="the core the server is pinned to")
    parser.add_argument("--json", action="store_true", help="only one line of JSON, at the end")


def run(options: dict[str, Any]) -> dict[str, Any]:
    """Run one measurement and give its figures. Raises RuntimeError when a process fails or takes too long."""
    connections, rate = int(options["connections"]), float(options["rate"])
    if connections < 1 or rate <= 0:
        raise RuntimeError("at least one connection, at a positive rate")
    cores = sorted(os.sched_getaffinity(0))
    core = cores[int(options.get("core") or 0) % len(cores)]
    others = [other for other in cores if other != core] or [core]
    seconds = float(options["seconds"])
    children: list[_Child] = []
    try:
        server = _Child("secretary.bench.esl_server", {"core": core, "connections": connections})
        children.append(server)
        port = server.ask({})["port"]
        load = _Child("secretary.bench.esl_load", {"cores": others, "port": port})
        children.append(load)
        load.ask({"connect": 20, "rate": 1000.0})  # what a first call loads and allocates is not a connection's cost
        before = server.ask({"measure": True})
        setup = load.ask({"connect": connections, "rate": rate})
        idle = server.ask({"measure": True})
        talk = load.ask({"talk": seconds, "talkers": int(options["talkers"])})
        busy = server.ask({"measure": True})
    finally:
        for child in reversed(children):
            child.close()
    events = busy["events"] - idle["events"]
    return {
        "connections": connections,
        "open": idle["open"] - before["open"],
        "rate": rate,
        "channel_data_bytes": setup["bytes"],
        "connections_per_s": round(setup["per_s"], 1),
        "rss_per_1000_mb": round((idle["rss_kb"] - before["rss_kb"]) / 1024 / connections * 1000, 2),
        "rss_mb": round(idle["rss_kb"] / 1024, 1),
        "rss_after_events_mb": round(busy["rss_kb"] / 1024, 1),
        "setup_ms": {"p50": setup["p50"], "p99": setup["p99"], "max": setup["max"]},
        "setup_cpu_us": round((idle["cpu_s"] - before["cpu_s"]) / connections * 1e6, 1),
        "events_per_s": round(events / max(busy["busy_s"], 1e-9)),
        "events_cpu_us": round((busy["cpu_s"] - idle["cpu_s"]) / max(events, 1) * 1e6, 2),
        "events": events,
        "events_lost": talk["sent"] - events,
        "event_bytes": talk["event_bytes"],
    }


class _Child:
    """A process of ours that answers one line of JSON with one."""

    def __init__(self, module: str, config: dict[str, Any]) -> None:
        self._name = module
        self._process = subprocess.Popen(  # noqa: S603 - our own module, in our own interpreter
            [sys.executable, "-m", module, json.dumps(config)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        stdin: IO[str] | None = self._process.stdin
        stdout: IO[str] | None = self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("no pipes")
        stdin.write(json.dumps(message) + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise RuntimeError(f"{self._name} ended with {self._process.wait(_PATIENCE_S)}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{self._name}: {answer['error']}")
        return answer

    def close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
