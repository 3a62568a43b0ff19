"""A log file that never grows beyond its bound, and the last lines of it in memory."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from threading import Lock
from typing import BinaryIO

LIMIT_BYTES = 5_000_000
TAIL_LINES = 15


class BoundedLog:
    """Appends to `path`; past `limit` bytes the file becomes `path`.1 (an older one goes) and a new one begins."""

    def __init__(self, path: Path, limit: int = LIMIT_BYTES) -> None:
        self.path = path
        self._limit = limit
        self._lock = Lock()
        self._closed = False
        self.lost = 0
        """Lines that the disk did not take."""
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("ab", buffering=0)
        self._size = self._file.tell()

    def write(self, line: bytes) -> None:
        """Append one line, its end of line included.

        Never raises: on a full disk lines are lost and counted. Whoever copies a process's output here must go on
        reading it, or the pipe fills and the process stands still in its next line.
        """
        with self._lock:
            self._tail.append(line.decode(errors="replace").rstrip())
            if self._closed:
                return
            try:
                self._append(line)
            except OSError:
                self.lost += 1

    def _append(self, line: bytes) -> None:
        if self._size + len(line) > self._limit:
            self._file.close()
            self.path.replace(self.path.with_name(self.path.name + ".1"))
        if self._file.closed:
            self._file = self.path.open("ab", buffering=0)
            self._size = self._file.tell()
        self._file.write(line)
        self._size += len(line)

    def tail(self) -> list[str]:
        """The last lines, oldest first."""
        with self._lock:
            return list(self._tail)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._file.close()
