"""Outlives a supervisor that was killed, and ends what was left of its processes.

`python -m secretary.embedded.undertaker PIDS` waits for the end of its standard input, a pipe that the supervisor holds
open for as long as it lives. The kernel has then told the processes to stop (launch.py); a Celery worker whose broker
has gone away would nevertheless stay for ever, waiting to say good-bye to it.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from secretary.embedded.pids import end, read

GRACE_S = 8.0


def main(pids: Path) -> None:
    """Wait, then end what is in `pids` at that very moment: a new supervisor may write its own there soon after."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stdin.buffer.read()
    end(read(pids), patience_s=GRACE_S)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
