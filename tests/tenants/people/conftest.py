from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from tests.cast import acme, globex

__all__ = ["acme", "globex"]


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timezone, "now", lambda: clock.now)
    return clock


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", email="alice@acme.example", password="a calm secretary")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob", email="bob@globex.example", password="a calm secretary")
