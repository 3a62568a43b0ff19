"""Bounded logs."""

from __future__ import annotations

from pathlib import Path

from secretary.embedded.logfile import TAIL_LINES, BoundedLog


def test_log_never_grows_beyond_twice_its_bound(tmp_path: Path) -> None:
    """A process that prints for weeks does not fill the disk."""
    log = BoundedLog(tmp_path / "log" / "web.log", limit=1000)
    for number in range(500):
        log.write(f"line {number}\n".encode())
    log.close()
    files = sorted(path.name for path in (tmp_path / "log").iterdir())
    assert files == ["web.log", "web.log.1"]
    assert all((tmp_path / "log" / name).stat().st_size <= 1000 for name in files)
    assert (tmp_path / "log" / "web.log").read_text().endswith("line 499\n")


def test_tail_holds_the_last_lines(tmp_path: Path) -> None:
    """They are shown when a process fails."""
    log = BoundedLog(tmp_path / "web.log")
    for number in range(100):
        log.write(f"{number}\n".encode())
    log.close()
    assert log.tail() == [str(number) for number in range(100 - TAIL_LINES, 100)]


def test_late_line_after_close_is_dropped(tmp_path: Path) -> None:
    """The copying thread may be a moment behind the end."""
    log = BoundedLog(tmp_path / "web.log")
    log.close()
    log.write(b"late\n")
    assert (tmp_path / "web.log").read_bytes() == b""


def test_a_full_disk_loses_lines_and_nothing_else(tmp_path: Path) -> None:
    """Writing never raises, and goes on when there is room again; rotating may fail in its middle, too."""
    log = BoundedLog(tmp_path / "web.log", limit=20)
    log.write(b"before the disk\n")
    full = tmp_path / "web.log.1"
    full.mkdir()
    (full / "in the way").touch()  # neither renaming nor deleting works
    log.write(b"lost, like the next\n")
    assert log.lost == 1 and log.tail()[-1] == "lost, like the next"
    (full / "in the way").unlink()
    full.rmdir()
    log.write(b"there is room again\n")
    log.close()
    assert (tmp_path / "web.log").read_bytes() == b"there is room again\n"
