"""Tiny Python programs that the supervisor's tests run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from secretary.embedded.process import Service

OBEDIENT = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
CRASHING = "print('first line'); raise SystemExit(3)"
SILENT = "import time; time.sleep(60)"


def program(name: str, source: str, *arguments: str, **more: Any) -> Service:
    """A service that is ready as soon as it prints `up`."""
    return Service(name, [sys.executable, "-I", "-S", "-c", source, *arguments], ready_line="up", **more)


def gone(pid: int) -> bool:
    """Whether no process runs under the pid (one that waits to be reaped does not run)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Poll until the condition holds; False when it does not in time."""
    import time

    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
