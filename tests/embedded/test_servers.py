"""PostgreSQL and Redis as they are run for a newcomer: real ones, from each source."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from secretary.embedded import postgres as postgres_module
from secretary.embedded.account import service_account
from secretary.embedded.errors import EmbeddedError, MissingServerError
from secretary.embedded.postgres import Postgres, Programs, choose_programs, system_programs, wheel_programs
from secretary.embedded.process import Service
from secretary.embedded.profile import free_port
from secretary.embedded.redis import Redis, find_program, wheel_program
from secretary.embedded.supervisor import Supervisor


def fake_installation(root: Path, folder: str) -> None:
    (root / folder).mkdir(parents=True)
    for name in ("initdb", "postgres"):
        (root / folder / name).touch()


def test_system_installations_are_found_newest_first(tmp_path: Path) -> None:
    """And those older than the oldest supported are left out, as are incomplete ones (client packages)."""
    for version in ("13", "15", "17"):
        fake_installation(tmp_path, f"usr/lib/postgresql/{version}/bin")
    (tmp_path / "usr/lib/postgresql/18/bin").mkdir(parents=True)
    assert [found.version for found in system_programs(tmp_path)] == [17, 15]


def test_existing_cluster_decides_the_version(tmp_path: Path) -> None:
    """A newer PostgreSQL that was installed later cannot read the folder."""
    available = [Programs(Path("/18"), 18), Programs(Path("/15"), 15)]
    assert choose_programs(tmp_path, available).version == 18
    (tmp_path / "PG_VERSION").write_text("15\n")
    assert choose_programs(tmp_path, available).version == 15
    (tmp_path / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedError, match="PostgreSQL 16"):
        choose_programs(tmp_path, available)


def test_missing_postgresql_names_the_one_command(tmp_path: Path) -> None:
    """The user is told what to do, not what went wrong inside."""
    with pytest.raises(MissingServerError, match="sudo apt-get install -y postgresql"):
        choose_programs(tmp_path, [])


def test_missing_redis_names_the_one_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where we are not root we may not install it."""
    monkeypatch.setattr("secretary.embedded.redis.system_program", lambda: None)
    monkeypatch.setattr("secretary.embedded.redis.wheel_program", lambda: None)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(MissingServerError, match="sudo apt-get install -y redis-server"):
        find_program()


@contextmanager
def running(server: Postgres | Redis, folder: Path, name: str) -> Iterator[Supervisor]:
    """Prepare and serve, as `Stack` does."""
    server.prepare()
    supervisor = Supervisor(folder)
    supervisor.start(
        Service(
            name,
            server.command(),
            environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            cwd=Path("/"),
            probe=server.ready,
            stop_signal=signal.SIGINT,
            account=server.account,
        )
    )
    try:
        yield supervisor
    finally:
        supervisor.stop_all()


def cluster(folder: Path, available: list[Programs]) -> Postgres:
    return Postgres(
        folder / "postgres",
        free_port(31_000 + os.getpid() % 500),
        "secret of the role",
        "secret-of-the-superuser",
        service_account(),
        createdb=True,
        settings=postgres_module.THROWAWAY_SETTINGS,
        available=available,
    )


SOURCES = [pytest.param(system_programs, id="system"), pytest.param(wheel_programs, id="wheel")]


@pytest.mark.parametrize("source", SOURCES)
def test_role_cannot_bypass_row_level_security(open_folder: Path, source: type) -> None:
    """The whole point of an own server: a superuser's connection would make every isolation test pass."""
    available = source()[:1]
    if not available:
        pytest.skip("no such PostgreSQL on this machine")
    server = cluster(open_folder, available)
    with running(server, open_folder, "postgres"):
        server.ensure_role_and_database()
        server.ensure_role_and_database()  # a second start finds them there
        with psycopg.connect(server.url) as connection:
            row = connection.execute(
                "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, pg_get_userbyid(datdba) = rolname,"
                " lower('ÇÃO'), current_setting('listen_addresses') from pg_roles, pg_database"
                " where rolname = current_user and datname = current_database()"
            ).fetchone()
        assert row == (False, False, False, True, True, "ção", "127.0.0.1")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(server.url.replace("secret", "guess"))
    assert stat.S_IMODE(server.home.stat().st_mode) == 0o700
    assert not (server.home / "superuser-password").exists()


def test_data_survives_kill_9_and_a_stale_pid_file(open_folder: Path) -> None:
    """A power cut is a kill -9 of everything: the next start works without help, and the data is there."""
    server = cluster(open_folder, (system_programs() + wheel_programs())[:1])
    server.settings = {}
    with running(server, open_folder, "postgres") as supervisor:
        server.ensure_role_and_database()
        with psycopg.connect(server.url) as connection:
            connection.execute("create table kept as select 7 as value")
        marker = server.data / "postmaster.pid"
        stale = marker.read_text()
        os.killpg(supervisor.pid("postgres"), signal.SIGKILL)
        supervisor.stop("postgres")
    # As after a reboot: the number in the file is a living process again, but not a PostgreSQL.
    with subprocess.Popen(["/bin/sleep", "60"]) as foreign:
        marker.write_text(stale.replace(stale.split()[0], str(foreign.pid), 1))
        with running(server, open_folder, "postgres"), psycopg.connect(server.url) as connection:
            assert connection.execute("select value from kept").fetchone() == (7,)
        assert foreign.poll() is None
        foreign.kill()


def test_orphaned_server_is_stopped_before_ours_starts(open_folder: Path) -> None:
    """Two servers on one cluster would destroy it; PostgreSQL refuses, so the orphan has to go first."""
    server = cluster(open_folder, (system_programs() + wheel_programs())[:1])
    server.prepare()
    who = server.account
    with subprocess.Popen(
        server.command(),
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=who.uid if who else None,
        group=who.gid if who else None,
        extra_groups=[] if who else None,
    ) as orphan:
        deadline = time.monotonic() + 10
        while not server.ready() and time.monotonic() < deadline:
            time.sleep(0.02)
        with running(server, open_folder, "postgres") as supervisor:
            assert orphan.wait(timeout=10) == 0
            assert supervisor.pid("postgres") != orphan.pid


def test_half_made_cluster_is_made_anew(open_folder: Path) -> None:
    """The first start was interrupted during initdb."""
    server = cluster(open_folder, (system_programs() + wheel_programs())[:1])
    server.data.mkdir(parents=True)
    (server.data / "base").mkdir()
    server.prepare()
    assert (server.data / "PG_VERSION").exists()


REDIS_SOURCES = [
    pytest.param(lambda: find_program(may_install=False), id="first choice"),
    pytest.param(wheel_program, id="wheel"),
]


@pytest.mark.parametrize("source", REDIS_SOURCES)
def test_redis_answers_behind_its_password_only(open_folder: Path, source: type) -> None:
    """Other users of the machine can reach the port."""
    import redis as client

    program = source()
    if program is None:
        pytest.skip("the wheel has no Redis for this Python and machine")
    server = Redis(
        open_folder / "redis", free_port(31_600 + os.getpid() % 300), "a-password", service_account(), program
    )
    with running(server, open_folder, "redis"):
        assert client.Redis.from_url(server.url).ping() is True
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as nobody:
            nobody.sendall(b"PING\r\n")
            assert nobody.recv(100).startswith(b"-NOAUTH")
        stranger = Redis(server.home, server.port, "another-password")
        assert not stranger.ready()
    assert stat.S_IMODE((server.home / "redis.conf").stat().st_mode) == 0o600
