"""`python -m secretary.embedded`, as script/manage and script/test call it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from secretary.embedded import Stack

OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "HTTPS_ONLY", "DJANGO_SETTINGS_MODULE")


def embedded(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the command as on a newcomer's machine, with its data in `folder`."""
    environment = {name: value for name, value in os.environ.items() if name not in OURS} | {"DATA_DIR": str(folder)}
    return subprocess.Popen(
        [sys.executable, "-m", "secretary.embedded", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def outcome(process: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = process.communicate(timeout=60)
    return process.returncode, output


def test_manage_runs_with_servers_of_its_own(open_folder: Path) -> None:
    """`script/manage` in a fresh clone: nothing has to be started first."""
    status, output = outcome(embedded(open_folder, "manage", "showmigrations", "tenants"))
    assert (status, "[ ] 0001_initial" in output) == (0, True), output
    assert (open_folder / "postgres" / "data" / "postmaster.pid").exists() is False


def test_status_of_the_command_is_ours(open_folder: Path) -> None:
    """Scripts and CI rely on it."""
    status, output = outcome(embedded(open_folder, "manage", "no_such_command"))
    assert status == 1 and "Unknown command" in output
    status, _ = outcome(embedded(open_folder, "run", sys.executable, "-c", "raise SystemExit(7)"))
    assert status == 7


def test_command_that_is_killed_is_told_as_the_shell_does(open_folder: Path) -> None:
    """128 and the signal's number."""
    status, _ = outcome(embedded(open_folder, "run", sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"))
    assert status == 128 + signal.SIGKILL


def test_run_hands_on_servers_and_no_addresses(open_folder: Path) -> None:
    """A test under `script/test` sees the same defaults as under plain pytest."""
    source = "import os; print(sorted(n for n in os.environ if n.endswith(('_URL', '_BIND'))))"
    status, output = outcome(embedded(open_folder, "run", sys.executable, "-c", source))
    assert (status, output) == (0, "['DATABASE_URL', 'REDIS_URL']\n")


def test_two_commands_at_once_share_the_servers(open_folder: Path) -> None:
    """A shell in one terminal, a migration in the other: the first to end waits for the other."""
    first = embedded(open_folder, "manage", "showmigrations", "tenants")
    others = [embedded(open_folder, "manage", "showmigrations", "tenants") for _ in range(2)]
    for process in (first, *others):
        status, output = outcome(process)
        assert status == 0, output


def test_second_up_says_who_runs(open_folder: Path) -> None:
    """One sentence, no traceback."""
    with Stack(var=open_folder):
        status, output = outcome(embedded(open_folder, "up"))
    assert status == 1
    assert f"Already running in {open_folder}: process {os.getpid()}" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("arguments", [[], ["run"], ["down"]])
def test_wrong_use_shows_the_usage(open_folder: Path, arguments: list[str]) -> None:
    """And starts nothing."""
    status, output = outcome(embedded(open_folder, *arguments))
    assert status == 2 and "manage ARGUMENT" in output
    assert list(open_folder.iterdir()) == []
