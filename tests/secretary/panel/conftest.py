"""The cast, and a browser's side of the conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from shutil import copytree

import pytest
from django.db import transaction
from django.test import Client, override_settings
from pytest_django import DjangoDbBlocker, Settings

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


@pytest.fixture(scope="module")
def stage(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Cast, Path] | None]:
    """The cast as it is before each test of a module, built once: every test runs in a transaction within its own.

    None where a test of the module commits: there each test has a cast of its own.
    """
    if any(map(commits, (item for item in request.session.items if item.nodeid.startswith(request.node.nodeid)))):
        yield None
        return
    folder = tmp_path_factory.mktemp("stage")
    with django_db_blocker.unblock():
        whole = transaction.atomic()
        whole.__enter__()
        with override_settings(DATA_DIR=folder):
            cast = assemble(folder)
    yield cast, folder
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        whole.__exit__(None, None, None)


def commits(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    fixtures = getattr(item, "fixturenames", ())
    return (
        bool(marker and marker.kwargs.get("transaction")) or "transactional_db" in fixtures or "live_server" in fixtures
    )


@pytest.fixture
def cast(stage: tuple[Cast, Path] | None, db: None, data_dir: Path) -> Cast:
    if stage is None:
        return assemble(data_dir)
    cast, folder = stage
    copytree(folder, data_dir)
    return deepcopy(cast)


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
