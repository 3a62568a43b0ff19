"""`python -m secretary.embedded up | manage … | run …`: what the scripts in script/ call."""

from __future__ import annotations

import os
import sys
import time

from secretary.embedded.errors import EmbeddedError
from secretary.embedded.progress import Progress
from secretary.embedded.stack import SERVERS, Stack

FOR_COMMANDS = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "DATA_DIR", "HTTPS_ONLY"}
USAGE = """\
python -m secretary.embedded up                  all processes, until Ctrl-C
python -m secretary.embedded manage ARGUMENT…    manage.py with the project's own PostgreSQL and Redis
python -m secretary.embedded run COMMAND…        a command with a throw-away PostgreSQL and Redis
"""


def up() -> int:
    """Start everything and stay. Its processes' output goes to the terminal and to var/log."""
    progress = Progress()
    with Stack(say=progress.say, progress=progress, echo=_echo) as stack:
        stack.start(SERVERS)
        migrate(stack, progress)
        stack.start()
        host, port = stack.address("voicenode")
        progress.say(f"\n  Panel   {stack.url('web')}/   (first account: script/manage createsuperuser)")
        progress.say(f"  Switch  socket {host}:{port} async full   (dialplan: script/manage dialplan DOMAIN)")
        progress.say(f"  Logs    {stack.var / 'log'}\n\nCtrl-C stops everything.")
        stack.wait()
        progress.say("\nStopping …")
    return 0


def migrate(stack: Stack, progress: Progress) -> None:
    """Bring the tables up to date, as a step of the progress display."""
    begun = time.monotonic()
    progress("tables", None)
    stack.manage("migrate", "--no-input")
    progress("tables", time.monotonic() - begun)


def manage(arguments: list[str]) -> int:
    """manage.py on this terminal. Servers that are not running are started for it and stopped after it."""
    with Stack(attach=True, say=_to_stderr) as stack:
        if not stack.attached:
            stack.start(SERVERS)
        return stack.call([sys.executable, "manage.py", *arguments])


def run(command: list[str]) -> int:
    """A command on this terminal, with servers that are gone after it.

    It gets the servers and secrets only: addresses of processes that do not run would change what tests see.
    """
    with Stack(throwaway=True, say=_to_stderr) as stack:
        stack.start(SERVERS)
        stack.environment = {
            name: value for name, value in stack.environment.items() if name in os.environ or name in FOR_COMMANDS
        }
        return stack.call(command)


def main(arguments: list[str]) -> int:
    match arguments:
        case ["up"]:
            return up()
        case ["manage", *rest]:
            return manage(rest)
        case ["run", *rest] if rest:
            return run(rest)
        case _:
            sys.stderr.write(USAGE)
            return 2


def _echo(name: str, line: str) -> None:
    sys.stdout.write(f"{name:>10} │ {line}\n")
    sys.stdout.flush()


def _to_stderr(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except EmbeddedError as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit(130)
