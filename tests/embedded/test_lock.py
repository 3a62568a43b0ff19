"""One instance a folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from secretary.embedded.errors import AlreadyRunningError
from secretary.embedded.lock import FolderLock

HOLD = """
import sys, time
from pathlib import Path
from secretary.embedded.lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
{how}
print("held", flush=True)
time.sleep(60)
"""


def hold(folder: Path, how: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(how=how), str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def test_second_instance_is_told_who_the_first_is(tmp_path: Path) -> None:
    """So that the user knows what to stop."""
    with hold(tmp_path, "lock.acquire()") as first:
        with pytest.raises(AlreadyRunningError, match=str(first.pid)):
            FolderLock(tmp_path).acquire()
        first.kill()


def test_lock_of_a_killed_instance_is_free(tmp_path: Path) -> None:
    """After kill -9 nothing has to be removed by hand."""
    with hold(tmp_path, "lock.acquire()") as first:
        os.kill(first.pid, signal.SIGKILL)
    lock = FolderLock(tmp_path)
    lock.acquire()
    assert str(os.getpid()) in (tmp_path / "lock").read_text()
    lock.release()


def test_owner_waits_for_the_users_of_its_servers(tmp_path: Path) -> None:
    """`script/manage migrate` does not take the database away from a `script/manage shell` that joined it."""
    owner = FolderLock(tmp_path)
    owner.acquire()
    user = hold(tmp_path, "assert not lock.acquire_or_join()")
    waited: list[int] = []

    def waiting() -> None:
        waited.append(user.pid)
        user.kill()
        user.wait()

    owner.await_users(waiting)
    assert waited == [user.pid]
    owner.release()
    assert user.stdout is not None
    user.stdout.close()


def test_nobody_joins_an_owner_that_is_stopping(tmp_path: Path) -> None:
    """It would lose the database in mid-command; it becomes the next owner instead."""
    owner = FolderLock(tmp_path)
    owner.acquire()
    owner.await_users(lambda: pytest.fail("nobody uses the servers"))
    with subprocess.Popen(
        [sys.executable, "-c", HOLD.format(how="print(lock.acquire_or_join(), flush=True)"), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
    ) as late:
        assert late.stdout is not None
        owner.release()
        assert late.stdout.readline() == "True\n"
        late.kill()
