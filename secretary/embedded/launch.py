"""Becomes another program, tied to the life of its parent: `python -I -S launch.py PARENT SIGNAL UID GID PROGRAM ARG…`.

A child whose supervisor is killed with SIGKILL would stay behind. Linux can prevent that: prctl(PR_SET_PDEATHSIG) makes
the kernel send SIGNAL when the thread that started the child is gone. The setting outlives execve but not a change of
user, so the user is changed first. (Doing this in subprocess's preexec_fn is unsafe in a process with threads.) UID 0
and GID 0 mean: stay who you are. Standard library only, so that it starts in some 15 ms.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> None:
    """Never returns: ends as PROGRAM, or with status 125 when the parent is gone already."""
    parent, signal, uid, gid = (int(number) for number in argv[:4])
    program = argv[4:]
    if uid:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0)
    except AttributeError:
        pass  # not Linux: the supervisor's own stop and the next start's clean-up remain
    if os.getppid() != parent:
        sys.exit(125)  # it died between fork and prctl
    try:
        os.execv(program[0], program)  # noqa: S606
    except OSError as error:
        sys.exit(f"{program[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
