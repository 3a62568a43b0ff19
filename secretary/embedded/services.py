"""The processes of the platform, as the supervisor runs them: the list that `docker-compose.yml` has for production."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from secretary.embedded.process import Service

PROJECT = Path(__file__).resolve().parents[2]
APPLICATION = ("web", "voicenode", "worker-esl", "worker", "beat")
"""In the order of their start. They stand on PostgreSQL and Redis, not on each other."""


def bind_address(environment: Mapping[str, str], name: str, default: str) -> tuple[str, int]:
    """(host, port) of a HOST:PORT variable; a wildcard host is reached over loopback."""
    host, _, port = environment.get(name, default).rpartition(":")
    return ("127.0.0.1" if host in ("", "0.0.0.0", "*") else host.strip("[]"), int(port))  # noqa: S104


def http_answers(host: str, port: int, path: str, *, below: int) -> Callable[[], bool]:
    """A probe: GET `path` has a status below `below`."""

    def probe() -> bool:
        connection = http.client.HTTPConnection(host, port, timeout=2)
        try:
            connection.request("GET", path)
            return connection.getresponse().status < below
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return probe


def application_services(environment: Mapping[str, str]) -> dict[str, Service]:
    """Services by name. `environment` is complete: DATABASE_URL, REDIS_URL and all else that the settings read."""
    python = sys.executable
    web = bind_address(environment, "WEB_BIND", "127.0.0.1:8000")
    media = bind_address(environment, "VOICENODE_MEDIA_BIND", "127.0.0.1:8085")
    # Without gossip and mingle: workers here need not know of each other, and the start is a second shorter.
    worker = [python, "-m", "celery", "-A", "secretary.config", "worker", "--loglevel", "INFO"]
    worker += ["--without-gossip", "--without-mingle"]

    def service(name: str, command: list[str], **more: object) -> Service:
        return Service(name, command, environment=environment, cwd=PROJECT, **more)  # type: ignore[arg-type]

    every = [
        service(
            "web",
            [python, "-m", "secretary.config.webserver", "-b", web[0], "-p", str(web[1])],
            probe=http_answers(*web, "/livez", below=500),
        ),
        service(
            "voicenode",
            [python, "manage.py", "voicenode"],
            probe=http_answers(*media, "/readyz", below=300),
            stop_deadline_s=float(environment.get("VOICENODE_DRAIN_S") or 20) + 10,
        ),
        service(
            "worker-esl",
            [*worker, "-Q", "esl,webhooks", "-P", "gevent", "-c", "100", "-n", "esl@%h"],
            ready_line=" ready.",
        ),
        service("worker", [*worker, "-Q", "default", "-c", "2", "-n", "default@%h"], ready_line=" ready."),
        service(
            "beat",
            [
                *(python, "-m", "celery", "-A", "secretary.config", "beat", "--loglevel", "INFO", "--pidfile="),
            ],
            ready_line="maxinterval",  # the banner: the log is kept free of Celery's chatter
        ),
    ]
    return {one.name: one for one in every}
