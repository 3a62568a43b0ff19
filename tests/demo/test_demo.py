"""The whole demo as a newcomer starts it: servers of its own, a real conversation, Ctrl-C, nothing left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import wave
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

PROJECT = Path(__file__).resolve().parents[2]
MOST_S = 150.0


@pytest.fixture
def var() -> Iterator[Path]:
    """A folder whose parents the servers' account may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="voice-secretary-demo-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


def start(var: Path, *arguments: str) -> subprocess.Popen[str]:
    """The demo with nothing of the test run's environment but the search path and the home folder."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", "secretary.demo", "--var", str(var), *arguments],
        cwd=PROJECT,
        env=kept,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def read_until(demo: subprocess.Popen[str], wanted: str) -> list[str]:
    """Its output up to a line that holds `wanted`."""
    assert demo.stdout is not None
    deadline = time.monotonic() + MOST_S
    lines: list[str] = []
    for line in demo.stdout:
        lines.append(line)
        if wanted in line:
            return lines
        assert time.monotonic() < deadline, "".join(lines)
    raise AssertionError(f"ended without {wanted!r}:\n" + "".join(lines))


def test_a_newcomers_first_run(var: Path) -> None:
    """Set up, call, transfer, summary, recording, panel; Ctrl-C ends it with 0 and leaves no process."""
    demo = start(var)
    try:
        text = "".join(read_until(demo, "Ctrl-C stops it"))
        family = psutil.Process(demo.pid).children(recursive=True)
        assert len(family) >= 7
        assert "put" in text and "Caller" in text and "Secretary" in text
        summary = json.loads((var / "demo" / "summary.json").read_text())
        assert (summary["outcome"], summary["destination_number"]) == ("transferred", "1001")
        assert {line["who"] for line in summary["transcript"]} == {"caller", "secretary"}
        assert "sales" in " ".join(line["text"].lower() for line in summary["transcript"])
        with wave.open(summary["recording"]) as file:
            assert file.getnchannels() == 2
            assert file.getnframes() / file.getframerate() > 8
        panel = next(word for word in text.split() if word.startswith("http://"))
        with urllib.request.urlopen(panel, timeout=10) as page:  # noqa: S310 - the panel's own address
            assert page.status == 200
        demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 0
    finally:
        if demo.poll() is None:
            demo.kill()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []


def test_ctrl_c_in_mid_call(var: Path) -> None:
    """Interrupted while the secretary speaks: status 130, and nothing is left either."""
    demo = start(var, "--once", "--scenario", "silent")
    try:
        read_until(demo, "answered")
        family = psutil.Process(demo.pid).children(recursive=True)
        demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 130
    finally:
        if demo.poll() is None:
            demo.kill()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
