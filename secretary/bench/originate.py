"""From a request of the API to the command on the wire: `manage.py bench originate`.

A database of its own beside the configured one, `daphne` and an idle `celery worker -Q esl -P gevent` as in production,
real Redis between them, and the stand-in switch in this process. Each request is a click-to-call:
`POST /domains/…/jobs`. Measured is the time from before the request is written until the switch has read
`bgapi originate` off its socket; both ends are in this process, on one clock.

`wire_ms` is that time, one request after the other with the worker idle in between; `answer_ms` is how long the API
itself took to answer. `first_ms` is the very first one, where every connection has yet to be made.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from django.conf import settings

from eslbridge.simulator import Extension, Options, StandInSwitch
from secretary.bench.api import document, domain_uuid
from secretary.bench.api_database import ScratchDatabase
from secretary.bench.api_server import Server, WebClient

PATIENCE_S: Final = 30.0
PHONE: Final = "1001"
NUMBER: Final = "1002"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--pause-ms", type=int, default=30, help="between the end of one and the next")
    parser.add_argument("--cores", type=int, default=2, help="for server, worker, switch and client together; 0: all")
    parser.add_argument("--json", action="store_true", help="only one line of JSON, at the end")


def run(options: dict[str, Any]) -> dict[str, Any]:
    """Run the measurement and give its figures. Raises RuntimeError where something is missing or fails."""
    count, pause_s = int(options["requests"]), int(options["pause_ms"]) / 1000
    if count < 1:
        raise RuntimeError("at least one request")
    cores = sorted(os.sched_getaffinity(0))[: int(options["cores"]) or None]
    os.sched_setaffinity(0, cores)
    with ScratchDatabase() as database, _Wire() as wire:
        database.migrate()
        token = database.key()
        with Server(database.environment) as server, _worker(database.environment):
            client = server.client(token)
            client.send("POST", "/api/v1/provision", json.dumps({"domains": [_domain(wire.port)]}).encode())
            path = f"/api/v1/domains/{domain_uuid(0)}/jobs"
            # The first one waits for the worker to come up; the second is the first with a worker, and so on.
            _call(client, path, wire, PATIENCE_S)
            client.connection.close()  # the server has had enough of an idle one if the worker took its time
            time.sleep(1.0)
            times = []
            for _ in range(count):
                times.append(_call(client, path, wire, PATIENCE_S))
                time.sleep(pause_s)
    wires, answers = ([pair[part] * 1000 for pair in times] for part in (0, 1))
    return {
        "wire_ms": percentiles(wires),
        "answer_ms": percentiles(answers),
        "first_ms": round(wires[0], 1),
        "requests": count,
        "cores": len(cores),
    }


def percentiles(figures: Sequence[float]) -> dict[str, float]:
    ordered = sorted(figures)
    return {
        name: round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
    }


def _domain(port: int) -> dict[str, Any]:
    body = document(0, 1)
    credential = {"host": "127.0.0.1", "port": port, "password": Options().password, "audio_transport": "direct-udp"}
    return {**body, "esl_credential": credential}


def _call(client: WebClient, path: str, wire: _Wire, patience_s: float) -> tuple[float, float]:
    """One click-to-call: seconds until the switch has read it, and until the API has answered."""
    begun = time.perf_counter()
    body = json.dumps({"kind": "originate", "number": PHONE, "to": NUMBER, "name": "Bench"}).encode()
    job = client.send("POST", path, body)["job_uuid"]
    answered = time.perf_counter()
    return wire.read_at(job, patience_s) - begun, answered - begun


class _Wire:
    """The stand-in switch in a thread of its own, which notes when it has read which originate."""

    def __init__(self) -> None:
        self.port = 0
        self._seen: dict[str, float] = {}
        self._news = threading.Condition()
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> _Wire:
        self._thread.start()
        if not self._ready.wait(PATIENCE_S):
            raise RuntimeError("the stand-in switch did not come up")
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    async def _serve(self) -> None:
        phones = [Extension(PHONE, "customer-0.example", "busy", answer_after_s=0.0)]
        async with StandInSwitch(Options(port=0, extensions=phones)) as switch:
            begin = switch.background_job

            def note(line: str, job: str) -> None:
                now = time.perf_counter()
                with self._news:
                    self._seen[line] = now
                    self._news.notify_all()
                begin(line, job)

            switch.background_job = note  # type: ignore[method-assign]
            self.port, self._loop, self._stop = switch.port, asyncio.get_running_loop(), asyncio.Event()
            self._ready.set()
            await self._stop.wait()

    def read_at(self, job_uuid: str, patience_s: float) -> float:
        """When the originate of a job was read. Raises RuntimeError."""
        deadline = time.monotonic() + patience_s
        with self._news:
            while True:
                found = next((at for line, at in self._seen.items() if job_uuid in line), None)
                if found is not None:
                    self._seen.clear()
                    return found
                left = deadline - time.monotonic()
                if left <= 0 or not self._news.wait(left):
                    raise RuntimeError(f"no originate of job {job_uuid} within {patience_s:.0f} s")


@contextmanager
def _worker(environment: Mapping[str, str]) -> Iterator[None]:
    command = [sys.executable, "-m", "celery", "-A", "secretary.config", "worker", "--loglevel", "INFO"]
    command += ["-Q", "esl", "-P", "gevent", "-c", "100", "-n", "bench@%h", "--without-gossip", "--without-mingle"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603
            command, cwd=settings.BASE_DIR, env=dict(environment), stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield
        finally:
            process.kill()
            process.wait(10)
