"""Installing a Debian package where that is allowed, and otherwise naming the one command that does it."""

from __future__ import annotations

import os
import shutil
import subprocess

from secretary.embedded.errors import CommandFailedError, MissingServerError

DEADLINE_S = 600.0


def install(package: str, what: str) -> None:
    """Install a package with apt-get as root.

    Raises MissingServerError where we may not, CommandFailedError where apt fails.
    """
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise MissingServerError(what, f"sudo apt-get install -y {package}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in ([apt, "-qq", "update"], [apt, "-qq", "install", "-y", "--no-install-recommends", package]):
        done = subprocess.run(  # noqa: S603
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
    if done.returncode != 0:  # of the installation alone: an update may fail for a foreign list
        raise CommandFailedError(f"apt-get install {package}", f"status {done.returncode}", done.stdout + done.stderr)
