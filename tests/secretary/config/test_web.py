"""What every answer of `web` has, whoever asks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from channels.testing import WebsocketCommunicator
from django.test import Client

from secretary.config.middleware import POLICY

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.django_db
def test_headers(client: Client) -> None:
    """No inline script, no frame around us, no guessing of types."""
    response = client.get("/livez")
    assert response.status_code == 200
    assert response["Content-Security-Policy"] == POLICY
    assert "unsafe-inline" not in POLICY
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"


@pytest.mark.django_db
def test_ready_means_servers_answer(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL and Redis there: 200. One of them gone: 503 without a word about it."""
    assert client.get("/readyz").status_code == 200
    from django.core.cache import cache

    def gone(key: str) -> None:
        raise ConnectionError("redis://:password@10.0.0.1")

    monkeypatch.setattr(cache, "get", gone)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert b"10.0.0.1" not in response.content


async def test_stray_websocket_is_closed() -> None:
    """A WebSocket to nowhere is refused, not an exception."""
    from secretary.config.asgi import application

    communicator = WebsocketCommunicator(application, "/media/anything")
    connected, code = await communicator.connect()
    assert (connected, code) == (False, 4404)


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`manage.py` with the product's own settings and nothing but this environment."""
    base = {name: os.environ[name] for name in ("PATH", "HOME", "DATABASE_URL", "REDIS_URL") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env={**base, **environment}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_production_settings_have_no_warning() -> None:
    """`check --deploy` is silent with nothing but the secrets set."""
    from cryptography.fernet import Fernet
    from django.core.management.utils import get_random_secret_key

    key = get_random_secret_key()
    done = manage(
        "check", "--deploy", "--fail-level", "WARNING",
        SECRET_KEY=key, FIELD_ENCRYPTION_KEYS=Fernet.generate_key().decode(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_no_secret_key_no_start() -> None:
    """Outside of DEBUG there is no default for the secret key."""
    done = manage("check")
    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr
