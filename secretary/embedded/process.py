"""One supervised process: what to run, how to know that it is ready, how to end it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from secretary.embedded.account import Account
from secretary.embedded.logfile import BoundedLog

LAUNCHER = Path(__file__).with_name("launch.py")
MAX_LINE_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class Service:
    """A process as it should be run. Ready: `probe` returns True or, without one, `ready_line` was printed."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] | None = None
    cwd: Path | None = None
    probe: Callable[[], bool] | None = None
    ready_line: str | None = None
    ready_deadline_s: float = 60.0
    stop_signal: signal.Signals = signal.SIGTERM
    stop_deadline_s: float = 10.0
    account: Account | None = None
    foundation: bool = False
    """True for servers that others stand on: they are stopped only when all others are gone."""


@dataclass(slots=True)
class Process:
    """A running (or ended) process. The spawning thread must live as long as the supervisor (launch.py)."""

    service: Service
    log: BoundedLog
    echo: Callable[[str, str], None] | None = None
    popen: subprocess.Popen[bytes] = field(init=False)
    started_at: float = field(init=False)
    seen_ready_line: threading.Event = field(default_factory=threading.Event)
    _pump: threading.Thread = field(init=False)

    def spawn(self) -> None:
        """Start it in a process group of its own: Ctrl-C reaches the supervisor only, which stops all in order."""
        service, who = self.service, self.service.account
        self.popen = subprocess.Popen(  # noqa: S603
            [
                *(sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(service.stop_signal))),
                *(str(who.uid if who else 0), str(who.gid if who else 0)),
                *service.command,
            ],
            env=dict(service.environment) if service.environment is not None else None,
            cwd=service.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.started_at = time.monotonic()
        self._pump = threading.Thread(target=self._copy_output, name=f"log-{service.name}", daemon=True)
        self._pump.start()

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    def is_ready(self) -> bool:
        """Whether it may be used. Takes at most the probe's own time-out."""
        if self.service.probe is not None:
            return self.service.probe()
        return self.service.ready_line is None or self.seen_ready_line.is_set()

    def ask_to_stop(self) -> None:
        """Send the stop signal to the process itself; it takes its own children along."""
        if self.alive:
            self.popen.send_signal(self.service.stop_signal)

    def wait_stopped(self, deadline_s: float) -> bool:
        """Wait for its end, then kill whatever is left of its group. False if it had to be killed itself."""
        obeyed = True
        try:
            self.popen.wait(timeout=deadline_s)
        except subprocess.TimeoutExpired:
            obeyed = False
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self.popen.wait(timeout=10)
        self._pump.join(timeout=2)
        return obeyed

    def _copy_output(self) -> None:
        """Thread: the process's output line by line to its log (and to the echo)."""
        stream = self.popen.stdout
        assert stream is not None  # noqa: S101
        wanted = self.service.ready_line.encode() if self.service.ready_line else None
        while line := stream.readline(MAX_LINE_BYTES):
            if wanted and wanted in line:
                self.seen_ready_line.set()
            if not line.endswith(b"\n"):
                line += b"\n"
            self.log.write(line)
            if self.echo is not None:
                try:
                    self.echo(self.service.name, line.decode(errors="replace").rstrip())
                except (OSError, ValueError):  # the terminal is gone; the process must not notice
                    self.echo = None
        stream.close()
