"""The embedded profile's settings: secrets and ports, made once, kept in var/embedded.env (mode 0600).

Whatever is set in the environment wins: a newcomer's machine and production run the same code and differ only in where
the values come from.
"""

from __future__ import annotations

import base64
import os
import secrets
import socket
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

# The first port to try for each.
PORTS = {
    "POSTGRES_PORT": 15432,
    "REDIS_PORT": 16379,
    "WEB_PORT": 8000,
    "VOICENODE_ESL_PORT": 8022,
    "VOICENODE_MEDIA_PORT": 8085,
    "VOICENODE_UDP_PORT": 10200,
}
UDP = {"VOICENODE_UDP_PORT"}
HEADER = """\
# Made by the first start, kept from then on. Secrets: do not share this file.
# FIELD_ENCRYPTION_KEYS opens the encrypted fields in the database: losing it loses them.
"""


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


SECRETS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(50),
    "FIELD_ENCRYPTION_KEYS": _fernet_key,
    "POSTGRES_SUPERUSER_PASSWORD": lambda: secrets.token_urlsafe(24),
    "POSTGRES_PASSWORD": lambda: secrets.token_urlsafe(24),
    "REDIS_PASSWORD": lambda: secrets.token_urlsafe(24),
}


@dataclass(slots=True)
class Profile:
    """The values of one folder. `notes` tells the user what was changed (a port that somebody else uses now)."""

    path: Path
    values: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, path: Path) -> Profile:
        """Read the file; an absent one is empty."""
        profile = cls(path)
        if path.exists():
            for line in path.read_text().splitlines():
                name, separator, value = line.partition("=")
                if separator and not line.startswith("#"):
                    profile.values[name.strip()] = value.strip()
        return profile

    def complete(self, ports: Collection[str] = tuple(PORTS), *, base: Mapping[str, int] | None = None) -> None:
        """Make what is missing, replace those of `ports` that are in use, and save if anything changed.

        Call it only while nothing of ours is running, under the folder's lock. `base`: first ports to try.
        """
        before = dict(self.values)
        for name, make in SECRETS.items():
            self.values.setdefault(name, make())
        taken = {int(value) for name, value in self.values.items() if name in PORTS}
        for name in PORTS:
            kept = self.values.get(name)
            if kept is not None and (name not in ports or is_free(int(kept), udp=name in UDP)):
                continue
            port = free_port((base or PORTS)[name], udp=name in UDP, avoid=taken)
            taken.add(port)
            self.values[name] = str(port)
            if kept is not None:
                self.notes.append(f"Port {kept} is in use by another program: {name} is {port} from now on.")
            elif base is None and port != PORTS[name]:
                self.notes.append(f"Port {PORTS[name]} is in use by another program: {name} is {port}.")
        if self.values != before:
            self.save()

    def save(self) -> None:
        """Write the file whole or not at all, readable by its owner only."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        half = self.path.with_name(self.path.name + ".part")
        half.unlink(missing_ok=True)
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(HEADER)
            file.writelines(f"{name}={value}\n" for name, value in self.values.items())
        half.replace(self.path)

    def port(self, name: str) -> int:
        return int(self.values[name])

    def environment(self, var: Path) -> dict[str, str]:
        """What the settings read, as far as this profile decides it: all but DATABASE_URL and REDIS_URL."""
        values = self.values
        return {
            "SECRET_KEY": values["SECRET_KEY"],
            "FIELD_ENCRYPTION_KEYS": values["FIELD_ENCRYPTION_KEYS"],
            "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
            "HTTPS_ONLY": "false",
            "VOICENODE_DRAIN_S": "3",  # Ctrl-C should not feel stuck
            "DATA_DIR": str(var),
            "WEB_BIND": f"127.0.0.1:{values['WEB_PORT']}",
            "VOICENODE_ESL_BIND": f"127.0.0.1:{values['VOICENODE_ESL_PORT']}",
            "VOICENODE_MEDIA_BIND": f"127.0.0.1:{values['VOICENODE_MEDIA_PORT']}",
            "VOICENODE_UDP_BIND": f"127.0.0.1:{values['VOICENODE_UDP_PORT']}",
        }


def overlay(defaults: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` over `defaults`. NAME_FILE counts as NAME: the default must not stand beside it."""
    merged = {name: value for name, value in defaults.items() if f"{name}_FILE" not in environment}
    return merged | dict(environment)


def is_free(port: int, *, udp: bool = False) -> bool:
    """Whether 127.0.0.1:`port` can be listened on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as probe:
        if not udp:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(first: int, *, udp: bool = False, avoid: Iterable[int] = ()) -> int:
    """`first` if it is free, else one of the 999 after it. Raises OSError when all are taken.

    Where to look next differs between processes: two that start at the same moment must not both take the next one.
    """
    unwanted = set(avoid)
    later = range(first + 1, first + 1000)
    start = os.getpid() * 13 % len(later)
    candidates: list[int] = [first, *later[start:], *later[:start]]
    for port in candidates:
        if port not in unwanted and is_free(port, udp=udp):
            return port
    raise OSError(f"No free port between {first} and {first + 999}")
