"""Under which system account the servers run, and which folders that account can reach.

PostgreSQL refuses to run as root. As root we therefore run it (and Redis) as an account that exists already: no account
is made, and the permissions of no folder but our own are touched.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from secretary.embedded.errors import EmbeddedError

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A system account: `uid` and `gid` as the kernel knows them."""

    name: str
    uid: int
    gid: int

    @classmethod
    def of_uid(cls, uid: int) -> Account:
        """Raises EmbeddedError for a uid without a passwd entry: initdb cannot work under one."""
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            raise EmbeddedError(
                f"User id {uid} has no entry in /etc/passwd, and PostgreSQL cannot run under it. "
                "Set DATABASE_URL (and REDIS_URL) to servers of your own."
            ) from None
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)


def service_account(existing: Path | None = None) -> Account | None:
    """The account for the servers, or None where they run as ourselves (we are not root).

    `existing`: a data folder that may be there already; its owner goes on owning it, even where `postgres` came later.
    """
    if os.geteuid() != 0:
        return None
    if existing is not None and existing.is_dir() and (uid := existing.stat().st_uid) != 0:
        return Account.of_uid(uid)
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise EmbeddedError(
        "PostgreSQL does not run as root, and neither of the accounts "
        f"{' and '.join(CANDIDATES)} exists. Run this as an ordinary user, or set DATABASE_URL."
    )


def can(account: Account | None, test: str, path: Path) -> bool:
    """Whether the account passes `test -x path` (or -w, -r). Asked of the kernel: ACLs and mounts count, too."""
    command = ["/usr/bin/test", test, str(path)]
    done = subprocess.run(  # noqa: S603
        command,
        cwd="/",
        timeout=10,
        check=False,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    return done.returncode == 0


def own_folder(folder: Path, account: Account | None) -> None:
    """Make `folder` (0700) and give it to the account. Only the folder itself is touched, never a parent."""
    folder.mkdir(parents=True, exist_ok=True)
    if account is not None and folder.stat().st_uid != account.uid:
        os.chown(folder, account.uid, account.gid)
    if folder.stat().st_uid not in (os.geteuid(), account.uid if account else os.geteuid()):
        owner = folder.stat().st_uid
        raise EmbeddedError(f"{folder} belongs to user id {owner}. Run this as that user, or remove the folder.")
    folder.chmod(0o700)


def reachable_home(wanted: Path, account: Account | None) -> Path:
    """`wanted` where the account can reach it, else a folder of this project's own under /var/lib.

    A checkout under /root (mode 0700) is the usual case: the account cannot enter it, and opening /root to everybody
    is not ours to do.
    """
    wanted.mkdir(parents=True, exist_ok=True)
    if account is None or can(account, "-x", wanted):
        return wanted
    digest = hashlib.sha256(str(wanted.resolve()).encode()).hexdigest()[:12]
    home = Path("/var/lib/voice-secretary") / digest
    home.mkdir(parents=True, exist_ok=True, mode=0o755)
    if not can(account, "-x", home):
        raise EmbeddedError(
            f"The account {account.name} can enter neither {wanted} nor {home}. "
            "Move the project to a folder that every user may enter (for example under /srv), or set DATABASE_URL."
        )
    return home


def copy_open(tree: Path, target: Path) -> None:
    """Copy a folder so that everybody may read and run the copy, whatever umask the original was made under."""
    shutil.copytree(tree, target, symlinks=True)
    for folder, _, names in os.walk(target):
        Path(folder).chmod(0o755)
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def runnable(binary: Path, account: Account | None, home: Path, tree: Path | None = None) -> Path:
    """`binary`, or a copy of it under `home` where the account cannot reach the original (an environment under /root).

    `tree`: the folder that must be copied along (a server with its libraries), an ancestor of the binary.
    """
    if account is None or can(account, "-x", binary):
        return binary
    root = tree or binary.parent
    stamp = hashlib.sha256(f"{root}:{binary.stat().st_mtime_ns}:{binary.stat().st_size}".encode()).hexdigest()[:12]
    copy = home / "programs" / stamp
    if not copy.is_dir():
        copy.parent.mkdir(parents=True, exist_ok=True)
        half = copy.with_name(copy.name + ".part")
        shutil.rmtree(half, ignore_errors=True)
        copy_open(root, half)
        half.rename(copy)
    return copy / binary.relative_to(root)
