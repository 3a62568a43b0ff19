"""The web process of a benchmark, and a client that speaks to it."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self

from django.conf import settings

PATIENCE_S: Final = 30.0


class WebClient:
    """One kept connection with a key."""

    def __init__(self, port: int, token: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def get(self, path: str) -> Any:
        return self.send("GET", path)

    def send(self, method: str, path: str, body: bytes | None = None) -> Any:
        """The answer's JSON. Raises RuntimeError for anything but success."""
        self.connection.request(method, path, body, self.headers)
        response = self.connection.getresponse()
        content = response.read()
        if response.status not in (200, 201, 202):
            raise RuntimeError(f"{method} {path}: {response.status} {content[:500]!r}")
        return json.loads(content)


class Server:
    """`daphne` as `script/up` starts it, on a port that is free. Raises RuntimeError where it does not come up."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.environment = dict(environment)

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "secretary.config.webserver"]
        command += ["-b", "127.0.0.1", "-p", str(self.port), "-v", "0"]
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(  # noqa: S603
            command,
            cwd=settings.BASE_DIR,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=self.errors,
        )
        deadline = time.monotonic() + PATIENCE_S
        while True:
            if self.process.poll() is not None:
                self.errors.seek(0)
                raise RuntimeError(f"daphne ended: {self.errors.read()[-1000:].decode(errors='replace')}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError as error:
                if time.monotonic() > deadline:
                    self.__exit__()
                    raise RuntimeError("daphne did not come up") from error
                time.sleep(0.1)

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()

    def client(self, token: str) -> WebClient:
        return WebClient(self.port, token)
