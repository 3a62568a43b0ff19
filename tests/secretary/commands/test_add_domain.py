"""`add_domain` makes a tenant, and changes one without touching what was not asked for."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from eslbridge.selectors import esl_endpoint
from tenants.selectors import find_domain

UUID_TEXT = "33333333-3333-4333-8333-333333333333"


def add(*arguments: str) -> str:
    out = StringIO()
    call_command("add_domain", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_make_and_change(tmp_path: Path) -> None:
    """The first run makes domain and credential; the second changes the host and keeps the password."""
    secret = tmp_path / "password"
    secret.write_text("s3cret phrase\n")
    assert add("acme.example", "--uuid", UUID_TEXT, "--esl-password-file", str(secret)).split() == [
        "acme.example",
        UUID_TEXT,
    ]
    add("acme.example", "--esl-host", "10.0.0.9", "--max-calls", "3")
    endpoint = esl_endpoint(domain_uuid=UUID_TEXT)
    assert endpoint is not None
    assert (endpoint.host, endpoint.password) == ("10.0.0.9", "s3cret phrase")
    domain = find_domain(name="acme.example")
    assert domain is not None and domain.max_calls == 3 and domain.domain_uuid == UUID(UUID_TEXT)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "arguments",
    [
        ["acme example"],
        ["acme.example", "--esl-host", "a b"],
        ["acme.example", "--esl-host", "10.0.0.9"],
        ["acme.example", "--time-zone", "Mars/Olympus"],
        ["acme.example", "--esl-password-file", "/nonexistent"],
    ],
)
def test_wrong_values_change_nothing(arguments: list[str]) -> None:
    """All or nothing: a wrong option (or a switch without a password) leaves no half domain behind."""
    with pytest.raises(CommandError):
        add(*arguments)
    assert find_domain(name="acme.example") is None


@pytest.mark.django_db
def test_uuid_never_changes() -> None:
    """A domain keeps its UUID: everything hangs on it."""
    add("acme.example", "--uuid", UUID_TEXT)
    with pytest.raises(CommandError, match=UUID_TEXT):
        add("acme.example", "--uuid", "44444444-4444-4444-8444-444444444444")
