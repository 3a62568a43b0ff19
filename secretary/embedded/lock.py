"""One instance a folder: a lock that the kernel gives back when its holder dies, whatever it died of."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from secretary.embedded.errors import AlreadyRunningError


class FolderLock:
    """`folder`/lock, held exclusively by the instance that runs the servers; its text says who that is.

    `folder`/users is held shared by commands that use the servers of another one, so that a short-lived owner
    (`script/manage migrate`) can wait for them before it takes the servers away.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock: IO[str] | None = None
        self._user: IO[str] | None = None

    def acquire(self) -> None:
        """Raises AlreadyRunningError, with the holder's process id, when another instance has it."""
        file = (self._folder / "lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            try:
                holder = json.loads(file.read())
                pid, command = int(holder["pid"]), str(holder["command"])
            except (ValueError, KeyError, TypeError):
                pid, command = None, ""
            file.close()
            raise AlreadyRunningError(str(self._folder.parent), pid, command) from None
        file.truncate(0)
        json.dump({"pid": os.getpid(), "command": " ".join(sys.orig_argv)[:200]}, file)
        file.flush()
        self._lock = file

    def join(self) -> None:
        """Be counted as a user of the other instance's servers."""
        self._user = (self._folder / "users").open("a+")
        fcntl.flock(self._user, fcntl.LOCK_SH)

    def await_users(self, waiting: Callable[[], None]) -> None:
        """Return when nobody else uses the servers; `waiting` is called once if that is not at once."""
        with (self._folder / "users").open("a+") as file:
            said = False
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return
                except BlockingIOError:
                    if not said:
                        said = True
                        waiting()
                    time.sleep(0.2)

    def release(self) -> None:
        for file in (self._lock, self._user):
            if file is not None:
                file.close()
        self._lock = self._user = None
