"""What can go wrong around the embedded servers and processes, in words for the person at the terminal."""

from __future__ import annotations


class EmbeddedError(RuntimeError):
    """Base of all errors here. Its text is complete: commands print it without a traceback."""


class MissingServerError(EmbeddedError):
    """A server program is not on this machine; `command` is the one command that brings it."""

    def __init__(self, what: str, command: str) -> None:
        super().__init__(f"{what} is not on this machine. Install it with:\n\n    {command}\n")
        self.what = what
        self.command = command


class AlreadyRunningError(EmbeddedError):
    """Another instance holds this folder's lock."""

    def __init__(self, folder: str, pid: int | None, command: str) -> None:
        who = f"process {pid} ({command})" if pid else "another process"
        super().__init__(f"Already running in {folder}: {who}. Stop it first (Ctrl-C there, or `kill {pid or 'PID'}`).")
        self.pid = pid


class ServiceFailedError(EmbeddedError):
    """A service died or was not ready in time; `tail` holds its last lines."""

    def __init__(self, name: str, why: str, tail: list[str], log: str) -> None:
        lines = "\n".join(f"    {line}" for line in tail) or "    (it printed nothing)"
        super().__init__(f"{name} {why}. Its last lines (all of them: {log}):\n{lines}")
        self.name = name
        self.tail = tail


class CommandFailedError(EmbeddedError):
    """A one-off command (initdb, manage.py migrate, …) ended with an error or overran its deadline."""

    def __init__(self, command: str, why: str, output: str) -> None:
        super().__init__(f"{command}: {why}\n{output.strip()}")
        self.output = output
