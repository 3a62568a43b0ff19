"""Passwords of the demo, made once and kept in var/demo/credentials (mode 0600)."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

HEADER = "# Made by script/demo. Sign-ins to the panel, and the password between platform and stand-in switch.\n"


class Credentials:
    """Names and passwords; a missing one is made when it is asked for, and the file is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._values: dict[str, str] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                name, equals, value = line.partition("=")
                if equals and not line.startswith("#"):
                    self._values[name.strip()] = value.strip()

    def password(self, name: str) -> str:
        if name not in self._values:
            self._values[name] = secrets.token_urlsafe(12)
            self._save()
        return self._values[name]

    def _save(self) -> None:
        """Whole or not at all, and never readable by others, not even for a moment."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        half = self.path.with_name(self.path.name + ".part")
        half.unlink(missing_ok=True)
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(HEADER)
            file.writelines(f"{name}={value}\n" for name, value in self._values.items())
        half.replace(self.path)
