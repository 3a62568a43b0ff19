"""A tenant's receiver, webhooks that point to it, and a clock that is set by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from secretary.webhooks import outbox
from tests.cast import acme, globex
from tests.receiver import Receiver, receiving
from tests.secretary.webhooks.post import Clock, let_through

__all__ = ["acme", "globex"]


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    """A receiver on loopback that the operator lets tenants reach."""
    with receiving() as running:
        let_through(settings, running)
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kicks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The domains that a worker was asked to look at; no broker is needed."""
    asked: list[str] = []
    monkeypatch.setattr("secretary.webhooks.tasks.deliver.apply_async", lambda args: asked.append(args[0]))
    assert outbox.kick.__module__ == "secretary.webhooks.outbox"
    return asked
