"""Starts processes in order, watches them, starts a crashed one again, and stops all of them in reverse order.

All processes are started by one thread that lives as long as the supervisor, because the kernel's parent-death signal
(launch.py) is tied to the thread that forked. So a supervisor that is killed with SIGKILL takes its processes along;
what does not obey is ended by the undertaker, and what survives even that by the next start, through the pid file.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeVar

from secretary.embedded import pids
from secretary.embedded.errors import ServiceFailedError
from secretary.embedded.logfile import BoundedLog
from secretary.embedded.process import Process, Service

T = TypeVar("T")

FIRST_BACKOFF_S = 0.5
MAX_BACKOFF_S = 30.0
HEALTHY_AFTER_S = 60.0
POLL_S = 0.05
LEFTOVERS_S = 3.0
PROJECT = Path(__file__).resolve().parents[2]


class _Entry:
    """A service under supervision: its present process and when it may be started again."""

    def __init__(self, service: Service, log: BoundedLog) -> None:
        self.service = service
        self.log = log
        self.process: Process | None = None
        self.backoff_s = FIRST_BACKOFF_S
        self.restart_at: float | None = None
        self.restarts = 0
        self.watched = False


class Supervisor:
    """`folder`: log/ and run/ are made in it. `say` gets a sentence when a process crashed or had to be killed."""

    def __init__(
        self,
        folder: Path,
        *,
        say: Callable[[str], None] | None = None,
        echo: Callable[[str, str], None] | None = None,
    ) -> None:
        self._logs = folder / "log"
        self._pids = folder / "run" / "pids.json"
        self._pids.parent.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(mode=0o700, exist_ok=True)
        self._say = say or (lambda text: None)
        self._echo = echo
        self._entries: dict[str, _Entry] = {}
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._ending = threading.Event()
        pids.end(pids.read(self._pids), patience_s=LEFTOVERS_S)
        self._pids.unlink(missing_ok=True)
        self._undertaker: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self._thread.start()

    def start(self, service: Service) -> float:
        """Start one service and wait until it is ready; gives the seconds it took.

        Raises ServiceFailedError when it dies or is not ready within its deadline (it is stopped then).
        """
        self.begin(service)
        return self.await_ready(service.name)

    def begin(self, service: Service) -> None:
        """Start one service without waiting: `await_ready` must follow. So several get ready side by side."""
        entry = _Entry(service, BoundedLog(self._logs / f"{service.name}.log"))
        self._entries[service.name] = entry
        self._in_thread(lambda: self._spawn(entry))

    def await_ready(self, name: str) -> float:
        """Wait for a service that was begun; gives the seconds since its start, and raises as `start` does."""
        entry = self._entries[name]
        process = entry.process
        assert process is not None  # noqa: S101
        try:
            self._await_ready(process, entry)
        except BaseException:
            self._entries.pop(name, None)
            self._end([entry])
            raise
        entry.watched = True
        return time.monotonic() - process.started_at

    def running(self) -> list[str]:
        """Names of the services under supervision, in the order in which they were started."""
        return list(self._entries)

    def pid(self, name: str) -> int:
        """Process id of a service. Raises KeyError for one that was not started."""
        process = self._entries[name].process
        assert process is not None  # noqa: S101
        return process.popen.pid

    def restarts(self, name: str) -> int:
        """How often a service was started again after a crash."""
        return self._entries[name].restarts

    def tail(self, name: str) -> list[str]:
        """The last lines that a service printed."""
        return self._entries[name].log.tail()

    def stop(self, name: str) -> None:
        """Stop one service for good."""
        entry = self._entries.pop(name)
        self._end([entry])

    def stop_all(self) -> None:
        """Stop everything, last started first: those that stand on others together, then the foundations one by one."""
        entries = list(reversed(self._entries.values()))
        self._entries.clear()
        self._end([entry for entry in entries if not entry.service.foundation])
        for entry in entries:
            if entry.service.foundation:
                self._end([entry])
        self._ending.set()
        self._thread.join(timeout=5)
        self._pids.unlink(missing_ok=True)
        if self._undertaker is not None and self._undertaker.stdin is not None:
            self._undertaker.stdin.close()  # with no pid left in the file it just ends
            self._undertaker.wait(timeout=10)

    def _await_ready(self, process: Process, entry: _Entry) -> None:
        service = entry.service
        while not process.is_ready():
            if not process.alive:
                process.wait_stopped(0)
                raise self._failure(entry, f"ended with status {process.popen.returncode} while it was starting")
            if time.monotonic() - process.started_at > service.ready_deadline_s:
                raise self._failure(entry, f"was not ready within {service.ready_deadline_s:.0f} s")
            time.sleep(POLL_S)
        # A foreign server on the same port would answer the probe in its place: ours must be alive, too.
        if not process.alive:
            raise self._failure(entry, f"ended with status {process.popen.returncode} while it was starting")

    def _failure(self, entry: _Entry, why: str) -> ServiceFailedError:
        return ServiceFailedError(entry.service.name, why, entry.log.tail(), str(entry.log.path))

    def _end(self, entries: list[_Entry]) -> None:
        """Signal all of them, then wait for each, within its deadline, and kill what does not obey."""
        for entry in entries:
            entry.watched = False
        self._in_thread(lambda: None)  # a restart that is under way comes to its end first
        processes = [entry.process for entry in entries if entry.process is not None]
        for process in processes:
            process.ask_to_stop()
        begun = time.monotonic()
        for process in processes:
            left = max(0.0, process.service.stop_deadline_s - (time.monotonic() - begun))
            if not process.wait_stopped(left):
                self._say(f"{process.service.name} did not stop within {process.service.stop_deadline_s:.0f} s: killed")
        for entry in entries:
            entry.log.close()

    # The supervising thread

    def _in_thread(self, function: Callable[[], T]) -> T:
        future: Future[T] = Future()

        def job() -> None:
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)

        self._jobs.put(job)
        return future.result(timeout=30)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._jobs.get(timeout=0.2)()
            except Empty:
                for entry in list(self._entries.values()):
                    try:
                        self._watch(entry)
                    except Exception as error:
                        # This thread must live: the kernel ends everything that it has started together with it.
                        entry.restart_at = time.monotonic() + MAX_BACKOFF_S
                        self._tell(f"{entry.service.name} cannot be started again now: {error}")

    def _tell(self, text: str) -> None:
        with contextlib.suppress(Exception):  # a terminal that is gone must not end this thread either
            self._say(text)

    def _watch(self, entry: _Entry) -> None:
        """Start a crashed service again: at once the first time, then later and later, up to every MAX_BACKOFF_S."""
        now, process = time.monotonic(), entry.process
        if not entry.watched or process is None:
            return
        if process.alive:
            if now - process.started_at > HEALTHY_AFTER_S:
                entry.backoff_s = FIRST_BACKOFF_S
        elif entry.restart_at is None:
            process.wait_stopped(0)
            entry.restart_at = now + entry.backoff_s
            self._tell(
                f"{entry.service.name} ended with status {process.popen.returncode}; "
                f"starting it again in {entry.backoff_s:.1f} s (see {entry.log.path})"
            )
            entry.backoff_s = min(entry.backoff_s * 2, MAX_BACKOFF_S)
        elif now >= entry.restart_at:
            self._spawn(entry)
            entry.restart_at = None
            entry.restarts += 1

    def _spawn(self, entry: _Entry) -> Process:
        if self._undertaker is None:
            self._undertaker = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "secretary.embedded.undertaker", str(self._pids)],
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        process = Process(entry.service, entry.log, self._echo)
        process.spawn()
        entry.process = process
        pids.note(self._pids, entry.service.name, process.popen.pid)
        return process
