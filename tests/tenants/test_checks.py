"""Misconfiguration that would let tenants meet is found by `manage.py check`."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from tenants import context


def ids(**arguments: object) -> set[str]:
    return {message.id or "" for message in run_checks(**arguments) if (message.id or "").startswith("tenants.")}  # type: ignore[arg-type]


@pytest.mark.django_db
def test_sound_installation_has_nothing_to_complain() -> None:
    """The test run's own role and keys are right."""
    assert ids(databases=["default"]) == set()


@pytest.mark.django_db
def test_role_that_bypasses_the_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    """A superuser or BYPASSRLS role is an error, where the database is checked."""
    monkeypatch.setattr(context, "role_bypasses_rls", lambda: True)
    assert ids(databases=["default"]) == {"tenants.E001"}
    assert ids() == set()


@pytest.mark.parametrize("keys", [[], ["no key"]])
def test_missing_or_broken_encryption_keys(settings: Settings, keys: list[str]) -> None:
    """Without a key the first secret stored would fail: say so at start."""
    settings.FIELD_ENCRYPTION_KEYS = keys
    assert ids() == {"tenants.E002"}


def test_plain_http_for_the_world(settings: Settings) -> None:
    """Plain HTTP is for this machine alone."""
    settings.HTTPS_ONLY, settings.DEBUG = False, False
    settings.ALLOWED_HOSTS = ["127.0.0.1", "panel.example"]
    assert ids() == {"tenants.W001"}
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    assert ids() == set()
