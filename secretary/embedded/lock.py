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

    def acquire_or_join(self) -> bool:
        """True: we hold the lock. False: another instance does, and we are counted as a user of its servers.

        An owner that is just stopping its servers lets nobody join any more; then we wait for its end and take over.
        """
        try:
            self.acquire()
            return True
        except AlreadyRunningError:
            user = (self._folder / "users").open("a+")
            fcntl.flock(user, fcntl.LOCK_SH)
        try:
            self.acquire()
        except AlreadyRunningError:
            self._user = user
            return False
        user.close()
        return True

    def await_users(self, waiting: Callable[[], None]) -> None:
        """Return when nobody else uses the servers, and let nobody join. `waiting` is called once if it takes time."""
        self._user = file = (self._folder / "users").open("a+")
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
