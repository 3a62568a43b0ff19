"""The processes that a supervisor started, in a file, so that somebody else can end what is left of them.

A process is known by its pid and the time of its start: a foreign one that got the same pid later is safe.
"""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

SPARED = {"postgres"}
"""Ends by itself, and writes everything while it does; what is left is dealt with in postgres.py, without a SIGKILL."""


def note(path: Path, name: str, pid: int) -> None:
    """Write one process of our own into the file."""
    known = read(path)
    known[name] = (pid, start_time(pid) or 0)
    half = path.with_suffix(".part")
    half.write_text(json.dumps(known))
    half.replace(path)


def read(path: Path) -> dict[str, tuple[int, int]]:
    """name -> (pid, start time); {} where there is no file or a damaged one."""
    try:
        return {name: (int(pid), int(started)) for name, (pid, started) in json.loads(path.read_text()).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def end(processes: dict[str, tuple[int, int]], patience_s: float) -> list[str]:
    """Wait until they are gone, and after `patience_s` kill what is left, with its group. Gives the names."""
    left = {name: one for name, one in processes.items() if start_time(one[0]) == one[1]}
    found = list(left)
    deadline = time.monotonic() + patience_s
    while left and time.monotonic() < deadline:
        time.sleep(0.05)  # the kernel has told them to stop, and they may be on their way out
        left = {name: one for name, one in left.items() if start_time(one[0]) == one[1]}
    for name, (pid, _) in left.items():
        if name not in SPARED:
            try:
                os.killpg(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
    return found


def start_time(pid: int) -> int | None:
    """When the process was started, in kernel ticks since boot (field 22 of /proc/PID/stat); None if there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])
