"""The demo's passwords."""

from __future__ import annotations

import stat
from pathlib import Path

from secretary.demo.credentials import Credentials


def test_made_once_and_kept(tmp_path: Path) -> None:
    """The same name has the same password in the next run; another name another one."""
    path = tmp_path / "demo" / "credentials"
    first = Credentials(path)
    password = first.password("demo@acme.example")
    assert len(password) >= 12
    assert first.password("demo@globex.example") != password
    assert Credentials(path).password("demo@acme.example") == password


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    """Mode 0600, also where an earlier half-written file was open to all."""
    path = tmp_path / "credentials"
    (tmp_path / "credentials.part").write_text("left over")
    (tmp_path / "credentials.part").chmod(0o644)
    Credentials(path).password("switch")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "left over" not in path.read_text()
