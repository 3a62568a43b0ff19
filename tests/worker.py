"""A real Celery worker for switches, in a process of its own, against the test's database and Redis."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from django.db import connection
from kombu import Connection

from secretary.config.celery import app

ROOT = Path(__file__).resolve().parents[1]


class Worker:
    """`celery worker -Q esl -P gevent`. Its log says what tests look for, whatever LOG_LEVEL the run itself has."""

    def __init__(self, log: Path, *, at_once: int = 20) -> None:
        self.log = log
        self._at_once = at_once
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it. What an earlier test has left in the queue is thrown away."""
        with Connection(app.conf.broker_url) as broker:
            queue = broker.SimpleQueue("esl")
            queue.clear()
            queue.close()
        database = connection.settings_dict
        url = f"postgresql://{database['USER']}:{database['PASSWORD']}@/{database['NAME']}"
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "secretary.config.settings",
            "DATABASE_URL": f"{url}?host={database['HOST']}&port={database['PORT']}",
            "REDIS_URL": settings.REDIS_URL,
            "LOG_LEVEL": "INFO",
        }
        command = [sys.executable, "-m", "celery", "-A", "secretary.config", "worker", "--loglevel", "INFO"]
        options = ["-Q", "esl", "-P", "gevent", "-c", str(self._at_once), "--without-gossip", "--without-mingle"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *options, "-n", "test@%h"], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    async def ready(self, seconds: float = 120) -> None:
        """Until it takes messages. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while b" ready." not in self.log.read_bytes():
                await asyncio.sleep(0.05)

    async def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Not SIGTERM at a test's end: a worker that is asked politely listens to Redis for another 5 s first."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            await asyncio.to_thread(self.process.wait, 20)
