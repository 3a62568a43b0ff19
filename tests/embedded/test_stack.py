"""The whole: servers, environment, lock and signals."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from secretary.embedded import AlreadyRunningError, CommandFailedError, EmbeddedError, Stack
from tests.embedded.programs import eventually, gone


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a newcomer's machine: nothing is set."""
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "DATA_DIR", "HTTPS_ONLY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)


def test_throwaway_servers_work_and_leave_nothing() -> None:
    """`script/test` from a fresh clone, twice in a row, on a machine with a full process table."""
    with Stack(throwaway=True) as stack:
        stack.start(["postgres", "redis"])
        folder = stack.var
        pids = [stack.pid("postgres"), stack.pid("redis")]
        with psycopg.connect(stack.environment["DATABASE_URL"]) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        assert stack.manage("version").startswith("5.")
        with pytest.raises(CommandFailedError, match="Unknown command"):
            stack.manage("no_such_command")
    assert all(gone(pid) for pid in pids)
    assert not folder.exists()


def test_servers_of_the_environment_are_used_and_none_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Production's DATABASE_URL and REDIS_URL: the same code, other servers."""
    monkeypatch.setenv("DATABASE_URL", "postgres://there/db")
    monkeypatch.setenv("REDIS_URL", "redis://there/1")
    with Stack(var=tmp_path) as stack:
        stack.start(["postgres", "redis"])
        assert stack.environment["DATABASE_URL"] == "postgres://there/db"
        assert stack.environment["REDIS_URL"] == "redis://there/1"
        with pytest.raises(KeyError):
            stack.pid("postgres")
    assert not (tmp_path / "postgres").exists()


def test_second_instance_in_the_folder_says_so(open_folder: Path) -> None:
    """Two instances would fight for ports and data."""
    with Stack(var=open_folder), pytest.raises(AlreadyRunningError, match=str(os.getpid())), Stack(var=open_folder):
        pytest.fail("two instances in one folder")


def test_unknown_service_is_refused(open_folder: Path) -> None:
    """A typing mistake must not look like a successful start."""
    with Stack(var=open_folder) as stack, pytest.raises(KeyError, match="wbe"):
        stack.start(["wbe"])


def test_command_joins_the_servers_of_a_running_instance(open_folder: Path) -> None:
    """`script/manage` beside `script/up` sees the same data and does not stop the servers."""
    with Stack(var=open_folder) as owner:
        owner.start(["postgres", "redis"])
        with Stack(var=open_folder, attach=True) as guest:
            assert guest.attached
            assert guest.environment["DATABASE_URL"] == owner.environment["DATABASE_URL"]
            with pytest.raises(EmbeddedError):
                guest.start(["postgres"])
        with psycopg.connect(owner.environment["DATABASE_URL"]):
            pass


def test_server_whose_port_was_taken_meanwhile_moves_to_another(open_folder: Path) -> None:
    """Between choosing a port and listening on it somebody else may come: two stacks that start at the same moment."""
    said: list[str] = []
    with Stack(var=open_folder, say=said.append) as stack:
        wanted = urlsplit(stack.environment["DATABASE_URL"]).port
        with socket.create_server(("127.0.0.1", wanted or 0)):
            stack.start(["postgres"])
        assert urlsplit(stack.environment["DATABASE_URL"]).port != wanted
        assert any(str(wanted) in sentence for sentence in said)
        with psycopg.connect(stack.environment["DATABASE_URL"]):
            pass


RUN = """
import contextlib, sys
from pathlib import Path
from secretary.embedded import Stack
with contextlib.suppress(KeyboardInterrupt), Stack(var=Path(sys.argv[1])) as stack:
    stack.start(["postgres", "redis"])
    print(stack.pid("postgres"), stack.pid("redis"), flush=True)
    stack.wait()
"""


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_every_end_leaves_nothing_running(open_folder: Path, number: signal.Signals, status: int) -> None:
    """Ctrl-C, a service manager's stop, a closed terminal, kill -9; and the next start works after each."""
    for _ in range(2 if number == signal.SIGKILL else 1):
        with subprocess.Popen(
            [sys.executable, "-c", RUN, str(open_folder)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
        ) as process:
            assert process.stdout is not None
            pids = [int(pid) for pid in process.stdout.readline().split()]
            assert len(pids) == 2
            process.send_signal(number)
            assert process.wait(timeout=40) == status
        assert eventually(lambda pids=pids: all(gone(pid) for pid in pids))
