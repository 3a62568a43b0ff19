"""The whole platform in one folder: servers, processes, secrets, ports.

    with Stack() as stack:
        stack.start(["postgres", "redis"])
        stack.manage("migrate")
        stack.start()                       # all that is not running yet: web, voicenode, workers, beat
        print(stack.url("web"))             # http://127.0.0.1:8000
        stack.wait()                        # until Ctrl-C or SIGTERM; leaving the block stops everything

Where DATABASE_URL and REDIS_URL are in the environment, those servers are used and none is started: that is all in
which a newcomer's machine and production differ.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType, TracebackType

from secretary.embedded.account import reachable_home, service_account
from secretary.embedded.errors import CommandFailedError, EmbeddedError, ServiceFailedError
from secretary.embedded.lock import FolderLock
from secretary.embedded.postgres import THROWAWAY_SETTINGS, Postgres
from secretary.embedded.process import Service
from secretary.embedded.profile import PORTS, Profile, overlay
from secretary.embedded.redis import Redis
from secretary.embedded.services import APPLICATION, PROJECT, application_services, bind_address
from secretary.embedded.supervisor import Supervisor

SERVERS = ("postgres", "redis")
ALL = (*SERVERS, *APPLICATION)
SIGNALS = (signal.SIGTERM, signal.SIGHUP)
BIND_VARIABLES = {
    "web": "WEB_BIND",
    "voicenode": "VOICENODE_ESL_BIND",
    "media": "VOICENODE_MEDIA_BIND",
    "udp": "VOICENODE_UDP_BIND",
}
PORT_OF = {"postgres": "POSTGRES_PORT", "redis": "REDIS_PORT"}
PORT_TRIES = 3
"""Other ports that a server tries before its start counts as failed."""
JOIN_DEADLINE_S = 60.0


def _silent(text: str) -> None:
    """Say nothing."""


class Stack:
    """Use it as a context manager, from the main thread if SIGTERM is to stop it in order.

    `var`: the folder for everything, default DATA_DIR or `var/` in the project. `throwaway`: a temporary folder, ports
    of its own, a PostgreSQL that does not wait for the disk and whose role may create databases; gone afterwards.
    `attach`: where another instance runs in the folder, use its servers instead of raising AlreadyRunningError.
    `say` gets sentences for the user, `progress` gets (service, None) when its start begins and (service, seconds) when
    it is ready, `echo` gets (service, line) of what the processes print.
    """

    def __init__(
        self,
        *,
        var: Path | None = None,
        throwaway: bool = False,
        attach: bool = False,
        say: Callable[[str], None] = _silent,
        progress: Callable[[str, float | None], None] | None = None,
        echo: Callable[[str, str], None] | None = None,
    ) -> None:
        self.var = (var or Path(os.environ.get("DATA_DIR") or PROJECT / "var")).resolve()
        self._given = dict(os.environ)
        self.environment: dict[str, str] = dict(os.environ)
        self.attached = False
        self._throwaway = throwaway
        self._attach = attach
        self._say = say
        self._progress = progress or (lambda name, seconds: None)
        self._echo = echo
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._profile: Profile | None = None
        self._lock: FolderLock | None = None
        self._supervisor: Supervisor | None = None
        self._servers: dict[str, Postgres | Redis] = {}
        self._previous_handlers: dict[signal.Signals, object] = {}
        self._closing = False

    def __enter__(self) -> Stack:
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self, names: Iterable[str] = ALL) -> None:
        """Start services by name and wait until each is ready; servers first. Running ones are left alone.

        Raises ServiceFailedError, MissingServerError, KeyError for an unknown name.
        """
        wanted = set(names)
        if unknown := wanted - set(ALL):
            raise KeyError(f"no such service: {', '.join(sorted(unknown))}")
        if self.attached:
            raise EmbeddedError("The services of this folder belong to another instance.")
        assert self._supervisor is not None  # noqa: S101
        todo = [name for name in ALL if name in wanted and name not in self._supervisor.running()]
        for name in todo:
            if name not in self._servers:
                continue  # a process of ours, or a server of somebody else: DATABASE_URL or REDIS_URL is set
            self._progress(name, None)
            begun = time.monotonic()
            self._start_server(name)
            server = self._servers[name]
            if isinstance(server, Postgres):
                server.ensure_role_and_database()
            self._progress(name, time.monotonic() - begun)
        # The others do not need each other to start, and most of their time goes into importing.
        todo = [name for name in todo if name in APPLICATION]
        for name in todo:
            self._supervisor.begin(self._service(name))
        for name in todo:
            self._progress(name, None)
            self._progress(name, self._supervisor.await_ready(name))

    def _start_server(self, name: str) -> None:
        """Start a server; where somebody was quicker to take its port, on another one."""
        assert self._supervisor is not None  # noqa: S101
        for last in (*(False for _ in range(PORT_TRIES)), True):
            try:
                self._supervisor.start(self._service(name))
            except ServiceFailedError:
                if last or not self._move(name):
                    raise
            else:
                return

    def _move(self, name: str) -> bool:
        """Whether the server's port was in use, so that it has another one now."""
        assert self._profile is not None  # noqa: S101
        before = dict(self._profile.values)
        self._profile.notes.clear()
        self._profile.complete((PORT_OF[name],), base=_throwaway_ports() if self._throwaway else None)
        if self._profile.values == before:
            return False
        for note in self._profile.notes:
            self._say(note)
        self._set_environment(self._profile)
        return True

    def manage(self, *arguments: str, timeout_s: float = 300.0) -> str:
        """Run `manage.py` with the arguments; gives its output. Raises CommandFailedError."""
        command = [sys.executable, "manage.py", *arguments]
        try:
            done = subprocess.run(  # noqa: S603
                command,
                cwd=PROJECT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CommandFailedError(f"manage.py {arguments[0]}", f"not done after {timeout_s:.0f} s", "") from None
        if done.returncode != 0:
            raise CommandFailedError(
                f"manage.py {' '.join(arguments)}", f"status {done.returncode}", done.stdout + done.stderr
            )
        return done.stdout

    def call(self, command: list[str]) -> int:
        """Run a command in the foreground, on this terminal, in the project's folder; gives its exit status.

        Ctrl-C goes to the command (the terminal sends it to both); we wait for its end.
        """
        with subprocess.Popen(command, cwd=PROJECT, env=self.environment) as process:  # noqa: S603
            while True:
                try:
                    return _shell_status(process.wait())
                except KeyboardInterrupt:
                    continue
                except SystemExit:
                    process.terminate()
                    process.wait(timeout=10)
                    raise

    def address(self, name: str) -> tuple[str, int]:
        """(host, port) of "web", "voicenode" (ESL outbound), "media" (HTTP and WebSocket of the node), "udp"."""
        return bind_address(self.environment, BIND_VARIABLES[name], "")

    def url(self, name: str, path: str = "") -> str:
        """http:// address of "web" or "media"."""
        host, port = self.address(name)
        return f"http://{host}:{port}{path}"

    def pid(self, name: str) -> int:
        """Process id of a running service."""
        assert self._supervisor is not None  # noqa: S101
        return self._supervisor.pid(name)

    def log(self, name: str) -> Path:
        """The log file of a service."""
        return self.var / "log" / f"{name}.log"

    def stop(self, name: str) -> None:
        """Stop one service."""
        assert self._supervisor is not None  # noqa: S101
        self._supervisor.stop(name)

    def wait(self) -> None:
        """Until Ctrl-C (returns) or SIGTERM/SIGHUP (SystemExit passes through)."""
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return

    def close(self) -> None:
        """Stop everything that was started here, in reverse order. May be called twice."""
        if self._closing:
            return
        self._closing = True
        previous = self._ignore_interrupt()
        try:
            if self._attach and self._lock is not None and not self.attached and self._supervisor is not None:
                self._await_other_commands()
            if self._supervisor is not None:
                self._supervisor.stop_all()
        finally:
            if self._lock is not None:
                self._lock.release()
            if self._temporary is not None:
                self._temporary.cleanup()
            self._restore_signals(previous)

    # How it is put together

    def _open(self) -> None:
        if self._throwaway:
            self._temporary = tempfile.TemporaryDirectory(prefix="voice-secretary-")
            self.var = Path(self._temporary.name)
            # Only the servers' own folders in it are closed; their account must be able to pass through.
            self.var.chmod(0o711)
        # Others may pass through it (the servers' account must, where we are root) but see nothing of it.
        self.var.mkdir(mode=0o711, parents=True, exist_ok=True)
        self._lock = FolderLock(self.var / "run")
        if not self._attach:
            self._lock.acquire()
        elif not self._lock.acquire_or_join():
            self._join()
            return
        self._catch_signals()
        self._supervisor = Supervisor(self.var, say=self._say, echo=self._echo)
        profile = Profile.load(self.var / "embedded.env")
        # A short-lived command leaves the application's ports alone: a switch's dialplan may name them.
        ports = ("POSTGRES_PORT", "REDIS_PORT") if self._attach else PORTS
        profile.complete(ports, base=_throwaway_ports() if self._throwaway else None)
        for note in profile.notes:
            self._say(note)
        self._profile = profile
        self._set_environment(profile)

    def _join(self) -> None:
        """Use the servers of the instance that holds the lock, once it has written its profile and they answer."""
        assert self._lock is not None  # noqa: S101
        self.attached = True
        deadline = time.monotonic() + JOIN_DEADLINE_S
        while True:
            profile = Profile.load(self.var / "embedded.env")
            if "REDIS_PORT" in profile.values:
                self._set_environment(profile)
                if all(server.ready() for server in self._servers.values()):
                    return
            if time.monotonic() > deadline:
                raise EmbeddedError(f"The instance in {self.var} did not get ready in {JOIN_DEADLINE_S:.0f} s.")
            time.sleep(0.1)

    def _set_environment(self, profile: Profile) -> None:
        given = self._given
        defaults = profile.environment(self.var)
        self._servers.clear()
        needed = [
            name for name, url in zip(SERVERS, ("DATABASE_URL", "REDIS_URL"), strict=True) if not _has(given, url)
        ]
        if needed:
            existing = self.var / "postgres"
            account = service_account(existing)
            home = reachable_home(self.var, account)
            if account is not None and home != self.var:
                account = service_account(home / "postgres")
            if "postgres" in needed:
                postgres = Postgres(
                    home / "postgres",
                    profile.port("POSTGRES_PORT"),
                    profile.values["POSTGRES_PASSWORD"],
                    profile.values["POSTGRES_SUPERUSER_PASSWORD"],
                    account,
                    createdb=self._throwaway,
                    settings=THROWAWAY_SETTINGS if self._throwaway else {},
                )
                self._servers["postgres"] = postgres
                defaults["DATABASE_URL"] = postgres.url
            if "redis" in needed:
                redis = Redis(home / "redis", profile.port("REDIS_PORT"), profile.values["REDIS_PASSWORD"], account)
                self._servers["redis"] = redis
                defaults["REDIS_URL"] = redis.url
            if home != self.var and not self.attached:
                self._say(f"The servers' account cannot enter {self.var}: their data is in {home}.")
        self.environment = overlay(defaults, given)
        self.environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{given.get('PATH', os.defpath)}"
        self.environment["PYTHONUNBUFFERED"] = "1"

    def _service(self, name: str) -> Service:
        server = self._servers.get(name)
        if server is None:
            return application_services(self.environment)[name]
        server.prepare()
        return Service(
            name,
            server.command(),
            environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            cwd=server.home if server.account is None else Path("/"),
            probe=server.ready,
            # SIGINT is PostgreSQL's fast shutdown: clients are sent away, everything is written.
            stop_signal=signal.SIGINT if name == "postgres" else signal.SIGTERM,
            stop_deadline_s=30.0,
            account=server.account,
            foundation=True,
        )

    def _await_other_commands(self) -> None:
        assert self._lock is not None  # noqa: S101
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            self._lock.await_users(
                lambda: self._say("Another command uses the database; waiting for its end (Ctrl-C: stop now).")
            )
        except KeyboardInterrupt:
            pass
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    # Signals

    def _catch_signals(self) -> None:
        """SIGTERM and SIGHUP leave the with-block as Ctrl-C does, by an exception in the main thread."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in SIGNALS:
            self._previous_handlers[number] = signal.signal(number, _leave)

    def _ignore_interrupt(self) -> object:
        """While stopping, further Ctrl-C and SIGTERM are ignored: every wait in there has its deadline."""
        if threading.current_thread() is not threading.main_thread():
            return None
        for number in self._previous_handlers:
            signal.signal(number, signal.SIG_IGN)
        return signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _restore_signals(self, interrupt: object) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        if interrupt is not None:
            signal.signal(signal.SIGINT, interrupt)  # type: ignore[arg-type]


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _has(environment: dict[str, str], name: str) -> bool:
    return bool(environment.get(name) or environment.get(f"{name}_FILE"))


def _shell_status(returncode: int) -> int:
    """A status as the shell gives it: 128 + signal for a process that was killed."""
    return 128 - returncode if returncode < 0 else returncode


def _throwaway_ports() -> dict[str, int]:
    """First ports to try, at random below the kernel's ephemeral range, so that two test runs rarely meet."""
    first = 20_000 + int.from_bytes(os.urandom(2)) % 11_000
    names = (
        "POSTGRES_PORT",
        "REDIS_PORT",
        "WEB_PORT",
        "VOICENODE_ESL_PORT",
        "VOICENODE_MEDIA_PORT",
        "VOICENODE_UDP_PORT",
    )
    return {name: first + 10 * number for number, name in enumerate(names)}
