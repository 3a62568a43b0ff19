"""What `bench transfers` starts and kills: a Celery worker as `script/up` has it, and a Redis of its own."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from secretary.embedded.redis import Redis

UP_S: Final = 60.0


class Worker:
    """`celery worker -Q esl -P gevent` in a process of its own."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {**environment, "LOG_LEVEL": "INFO"}
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.NamedTemporaryFile(suffix=".log")

    def start(self) -> None:
        command = [sys.executable, "-m", "celery", "-A", "secretary.config", "worker", "--loglevel", "INFO"]
        command += ["--without-gossip", "--without-mingle", "-Q", "esl", "-P", "gevent", "-c", "100", "-n", "esl@%h"]
        self._log.truncate(0)
        self._process = subprocess.Popen(  # noqa: S603
            command, cwd=settings.BASE_DIR, env=self._environment, stdout=self._log, stderr=subprocess.STDOUT
        )

    async def ready(self) -> None:
        """Raises RuntimeError where it does not come up."""
        deadline = time.monotonic() + UP_S
        while b" ready." not in (said := Path(self._log.name).read_bytes()):  # noqa: ASYNC240 - a small local file
            if time.monotonic() > deadline or self._process is None or self._process.poll() is not None:
                raise RuntimeError(f"the worker did not come up: {said[-2000:].decode(errors='replace')}")
            await asyncio.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL: nothing is finished, handed back or said."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None


class Broker:
    """The Redis of REDIS_URL, run from here so that it can be restarted. It keeps nothing on disk."""

    def __init__(self, home: Path) -> None:
        url = urlsplit(settings.REDIS_URL)
        self._redis = Redis(home, url.port or 6379, url.password or "")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Raises RuntimeError."""
        self._redis.prepare()
        self._process = subprocess.Popen(  # noqa: S603
            self._redis.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + UP_S
        while not self._redis.ready():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError("Redis did not come up")
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)
            self._process = None
