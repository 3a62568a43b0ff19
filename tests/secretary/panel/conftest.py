"""The cast, and a browser's side of the conversation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from secretary.panel import node
from tests.secretary.panel.cast import Cast, assemble


@pytest.fixture
def data_dir(tmp_path: Path, settings: Settings) -> Path:
    """Recordings of this test only."""
    settings.DATA_DIR = tmp_path / "data"
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def no_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """No page asks a voice node that may or may not run on this machine, except where a test says so."""
    monkeypatch.setattr(node, "probe", lambda host, port: "silent")
    monkeypatch.setattr(node, "_last", {})


@pytest.fixture
def cast(db: None, data_dir: Path) -> Cast:
    return assemble(data_dir)


@pytest.fixture
def sign_in(cast: Cast) -> Callable[[str], Client]:
    """A client signed in as a role of the cast; `anonymous` is nobody."""

    def signed_in(role: str) -> Client:
        client = Client()
        if role != "anonymous":
            client.force_login(cast.people[role])
        return client

    return signed_in


@pytest.fixture
def alice(sign_in: Callable[[str], Client]) -> Client:
    """Acme's administrator."""
    return sign_in("admin")
