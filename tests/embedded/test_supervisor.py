"""Starting, watching and stopping processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from secretary.embedded import pids as pidfile
from secretary.embedded.errors import ServiceFailedError
from secretary.embedded.process import Process
from secretary.embedded.supervisor import Supervisor
from tests.embedded.programs import CRASHING, OBEDIENT, SILENT, STUBBORN, eventually, gone, program


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path, say=said.append)
    yield supervisor
    supervisor.stop_all()


def test_start_returns_when_the_service_is_ready(supervisor: Supervisor, tmp_path: Path) -> None:
    """Whoever comes next in the order may rely on it."""
    supervisor.start(program("one", OBEDIENT))
    assert supervisor.running() == ["one"]
    assert (tmp_path / "log" / "one.log").read_text() == "up\n"


def test_several_get_ready_side_by_side(supervisor: Supervisor) -> None:
    """The start of all takes as long as the slowest, not as their sum."""
    source = "import time; time.sleep(0.4); print('up', flush=True); time.sleep(60)"
    names = ["one", "two", "three"]
    begun = time.monotonic()
    for name in names:
        supervisor.begin(program(name, source))
    for name in names:
        supervisor.await_ready(name)
    assert time.monotonic() - begun < 1.1
    assert supervisor.running() == names


def test_service_that_dies_while_starting_is_reported_with_its_last_lines(supervisor: Supervisor) -> None:
    """The reason is in front of the user, not only in a file."""
    with pytest.raises(ServiceFailedError, match=r"status 3[\s\S]*first line"):
        supervisor.start(program("broken", CRASHING))
    assert supervisor.running() == []


def test_service_that_never_gets_ready_is_stopped_at_its_deadline(supervisor: Supervisor) -> None:
    """No start waits for ever, and nothing half-started stays behind."""
    with pytest.raises(ServiceFailedError, match="not ready within"):
        supervisor.start(program("silent", SILENT, ready_deadline_s=0.3))
    assert supervisor.running() == []


def test_foreign_server_on_our_port_is_not_taken_for_ours(supervisor: Supervisor) -> None:
    """A probe that somebody else answers does not make a dead process ready."""
    with pytest.raises(ServiceFailedError):
        supervisor.start(program("shadowed", CRASHING, probe=lambda: bool(eventually(lambda: False, 0.3)) or True))


def test_crashed_service_is_started_again(supervisor: Supervisor, said: list[str]) -> None:
    """A call platform heals itself, and says that it had to."""
    supervisor.start(program("one", OBEDIENT))
    first = supervisor.pid("one")
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: supervisor.restarts("one") == 1)
    assert supervisor.pid("one") != first
    assert "one ended with status -9" in said[0]


def test_service_that_keeps_crashing_is_started_less_and_less_often(supervisor: Supervisor, said: list[str]) -> None:
    """A broken one must not eat the machine."""
    source = "import os, sys; first = not os.path.exists(sys.argv[1]); open(sys.argv[1], 'w'); print('up', flush=True);"
    source += "first and __import__('time').sleep(0.3); raise SystemExit(1)"
    supervisor.start(program("flapping", source, str(supervisor._pids.parent / "seen")))
    assert eventually(lambda: len(said) >= 3)
    assert ["0.5 s", "1.0 s", "2.0 s"] == [text.partition("again in ")[2][:5] for text in said[:3]]


def test_service_that_cannot_be_started_again_takes_no_other_along(
    supervisor: Supervisor, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine short of processes: the supervising thread goes on, for its end would be the end of all services."""
    monkeypatch.setattr("secretary.embedded.supervisor.MAX_BACKOFF_S", 0.1)
    supervisor.start(program("one", OBEDIENT))
    supervisor.start(program("two", OBEDIENT))
    spawn, failures = Process.spawn, [OSError("no more processes"), OSError("no more processes")]

    def failing(process: Process) -> None:
        if failures:
            raise failures.pop()
        spawn(process)

    monkeypatch.setattr(Process, "spawn", failing)
    two = supervisor.pid("two")
    os.kill(supervisor.pid("one"), signal.SIGKILL)
    assert eventually(lambda: supervisor.restarts("one") == 1)
    assert not gone(two) and not gone(supervisor.pid("one"))
    assert "one cannot be started again now: no more processes" in said


def test_stop_that_is_not_obeyed_becomes_a_kill(tmp_path: Path, said: list[str]) -> None:
    """Ctrl-C always ends, and leaves nothing."""
    supervisor = Supervisor(tmp_path, say=said.append)
    supervisor.start(program("stubborn", STUBBORN, stop_deadline_s=0.2))
    pid = supervisor.pid("stubborn")
    supervisor.stop_all()
    assert gone(pid)
    assert "killed" in said[0]


def test_foundations_are_stopped_last(tmp_path: Path) -> None:
    """A worker that finishes its task still finds the database."""
    order = tmp_path / "order"
    source = (
        "import signal, sys, time\n"
        "def stop(*_):\n open(sys.argv[2], 'a').write(sys.argv[1] + ' ')\n raise SystemExit\n"
        "signal.signal(15, stop)\nprint('up', flush=True)\ntime.sleep(60)"
    )
    supervisor = Supervisor(tmp_path)
    for name, foundation in (("database", True), ("broker", True), ("worker", False)):
        supervisor.start(program(name, source, name, str(order), foundation=foundation))
    supervisor.stop_all()
    assert order.read_text().split() == ["worker", "broker", "database"]


def test_children_of_a_service_go_with_it(tmp_path: Path) -> None:
    """A worker's own child processes are in its group."""
    source = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open(sys.argv[1], 'w').write(str(child.pid))\nprint('up', flush=True)\ntime.sleep(60)"
    )
    supervisor = Supervisor(tmp_path)
    supervisor.start(program("parent", source, str(tmp_path / "child")))
    child = int((tmp_path / "child").read_text())
    supervisor.stop_all()
    assert eventually(lambda: gone(child))


KILLED = """
import sys, time
from pathlib import Path
from secretary.embedded.supervisor import Supervisor
from tests.embedded.programs import OBEDIENT, program
supervisor = Supervisor(Path(sys.argv[1]))
supervisor.start(program("one", OBEDIENT))
supervisor.start(program("two", OBEDIENT))
print(supervisor.pid("one"), supervisor.pid("two"), flush=True)
time.sleep(60)
"""


def test_processes_go_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    """Even kill -9 of the supervisor leaves nothing running."""
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        pids = [int(pid) for pid in first.stdout.readline().split()]
        assert len(pids) == 2 and not any(gone(pid) for pid in pids)
        first.kill()
    assert eventually(lambda: all(gone(pid) for pid in pids))


def test_what_ignores_the_kernels_signal_is_ended_by_the_undertaker(tmp_path: Path) -> None:
    """A Celery worker without its broker would stay for ever."""
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, start_new_session=True) as orphan:
        assert orphan.stdout is not None
        orphan.stdout.readline()
        pidfile.note(tmp_path / "pids.json", "worker", orphan.pid)
        source = (
            "from pathlib import Path; from secretary.embedded import undertaker as u; import sys; u.GRACE_S = 0.1;"
        )
        with subprocess.Popen(
            [sys.executable, "-c", f"{source} u.main(Path(sys.argv[1]))", str(tmp_path / "pids.json")],
            stdin=subprocess.PIPE,
        ) as undertaker:
            assert orphan.poll() is None
            assert undertaker.stdin is not None
            undertaker.stdin.close()  # what the supervisor's death does
            assert orphan.wait(10) == -signal.SIGKILL


def test_what_survived_a_killed_supervisor_is_ended_by_the_next(tmp_path: Path) -> None:
    """A process that ignores the kernel's signal is found by the pid file."""
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, start_new_session=True) as orphan:
        assert orphan.stdout is not None
        orphan.stdout.readline()
        started = int(Path(f"/proc/{orphan.pid}/stat").read_text().rpartition(")")[2].split()[19])
        pids = tmp_path / "pids.json"
        pids.write_text(json.dumps({"web": [orphan.pid, started]}))
        assert pidfile.end(pidfile.read(pids), patience_s=0.1) == ["web"]
        assert orphan.wait(5) == -signal.SIGKILL


def test_foreign_process_with_a_reused_pid_is_left_alone(tmp_path: Path) -> None:
    """After a reboot the same pid is somebody else's."""
    with subprocess.Popen([sys.executable, "-c", OBEDIENT], start_new_session=True) as foreign:
        pids = tmp_path / "pids.json"
        pids.write_text(json.dumps({"web": [foreign.pid, 1]}))
        assert pidfile.end(pidfile.read(pids), patience_s=0.1) == []
        assert foreign.poll() is None
        foreign.kill()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"web": 3}', '{"web": ["x", 1]}'])
def test_damaged_pid_file_is_no_obstacle(tmp_path: Path, text: str) -> None:
    """A half-written file from a crash must not stop the next start."""
    (tmp_path / "pids.json").write_text(text)
    assert pidfile.read(tmp_path / "pids.json") == {}
