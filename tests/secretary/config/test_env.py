"""Settings from the environment: typed, from files too, and loud when they are wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from secretary.config import databases, env


def test_defaults_and_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set, the variable counts; unset or empty, the default."""
    monkeypatch.setenv("VS_X", "7")
    assert (env.integer("VS_X", 1), env.string("VS_X", "d"), env.number("VS_X", 1.0)) == (7, "7", 7.0)
    monkeypatch.setenv("VS_X", "")
    assert (env.integer("VS_X", 1), env.string("VS_X", "d"), env.boolean("VS_X", True)) == (1, "d", True)
    monkeypatch.setenv("VS_X", " a, b ,,c ")
    assert env.strings("VS_X") == ["a", "b", "c"]
    monkeypatch.setenv("VS_X", "10.0.0.5, 192.168.7.0/24,::1")
    assert [str(one) for one in env.networks("VS_X")] == ["10.0.0.5/32", "192.168.7.0/24", "::1/128"]
    monkeypatch.setenv("VS_X", "none")
    assert env.networks("VS_X", ["127.0.0.0/8"]) == []
    monkeypatch.setenv("VS_X", "")
    assert [str(one) for one in env.networks("VS_X", ["127.0.0.0/8"])] == ["127.0.0.0/8"]


@pytest.mark.parametrize("text", ["1", "TRUE", "yes", "On"])
def test_true(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """The usual ways to say yes."""
    monkeypatch.setenv("VS_X", text)
    assert env.boolean("VS_X", False) is True


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (lambda: env.boolean("VS_X", True), "flase"),
        (lambda: env.integer("VS_X", 1), "1.5"),
        (lambda: env.integer("VS_X", 1, least=1), "0"),
        (lambda: env.integer("VS_X", 1, most=10), "11"),
        (lambda: env.number("VS_X", 1.0), "nan"),
        (lambda: env.number("VS_X", 1.0), "inf"),
        (lambda: env.string("VS_X", "a", choices=["a", "b"]), "c"),
        (lambda: env.host_port("VS_X"), "127.0.0.1"),
        (lambda: env.host_port("VS_X"), "::1:8022"),
        (lambda: env.host_port("VS_X"), "host:99999"),
        (lambda: env.host_port("VS_X"), ":8022"),
        (lambda: env.networks("VS_X"), "10.0.0.5/8"),
        (lambda: env.networks("VS_X"), "10.0.0.5, switch.example"),
        (lambda: env.networks("VS_X"), "none, 10.0.0.5"),
        (lambda: env.url("VS_X", schemes=["redis"]), "http://x"),
    ],
)
def test_wrong_values_name_the_variable(monkeypatch: pytest.MonkeyPatch, read: Callable[[], object], text: str) -> None:
    """The message names the variable, what was found and what is wanted."""
    monkeypatch.setenv("VS_X", text)
    with pytest.raises(ImproperlyConfigured, match=r"VS_X is .*; wanted: ") as caught:
        read()
    assert text in str(caught.value) or "://" in text


def test_required(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a default the variable must be there."""
    monkeypatch.delenv("VS_X", raising=False)
    for read in (env.string, env.secret, env.integer, env.host_port):
        with pytest.raises(ImproperlyConfigured, match="VS_X is not set"):
            read("VS_X")


def test_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """NAME_FILE is read without its final line break; both at once, or a missing file, are errors."""
    file = tmp_path / "secret"
    file.write_text("from the file\n")
    monkeypatch.delenv("VS_X", raising=False)
    monkeypatch.setenv("VS_X_FILE", str(file))
    assert env.secret("VS_X") == "from the file"
    monkeypatch.setenv("VS_X", "too")
    with pytest.raises(ImproperlyConfigured, match="both set"):
        env.secret("VS_X")
    monkeypatch.delenv("VS_X")
    monkeypatch.setenv("VS_X_FILE", str(tmp_path / "missing"))
    with pytest.raises(ImproperlyConfigured, match="cannot be read"):
        env.secret("VS_X")


def test_secrets_are_never_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a short key nor a password in a broken URL is in the message."""
    monkeypatch.setenv("VS_X", "hunter2")
    with pytest.raises(ImproperlyConfigured) as short:
        env.secret("VS_X", min_length=40)
    monkeypatch.setenv("VS_X", "redis://:hunter2@host:port/0")
    with pytest.raises(ImproperlyConfigured) as broken:
        env.url("VS_X", schemes=["redis"])
    monkeypatch.setenv("VS_X", "postgres:hunter2@host/x")
    with pytest.raises(ImproperlyConfigured) as schemeless:
        env.url("VS_X", schemes=["postgresql"])
    for caught in (short, broken, schemeless):
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "parsed"),
    [("127.0.0.1:8022", ("127.0.0.1", 8022)), ("[::1]:8022", ("::1", 8022)), ("node:0", ("node", 0))],
)
def test_addresses(text: str, parsed: tuple[str, int]) -> None:
    """host:port, and IPv6 in brackets; printed as it was written."""
    assert env.parse_host_port(text) == parsed
    assert str(env.parse_host_port(text)) == text


@given(st.text())
def test_any_text_is_an_address_or_a_value_error(text: str) -> None:
    """The parser has no third way to end."""
    try:
        address = env.parse_host_port(text)
    except ValueError:
        return
    assert address.host and 0 <= address.port <= 65_535


def test_postgresql_urls() -> None:
    """TCP with escapes and options, or a folder of sockets."""
    tcp = databases.postgresql(
        "postgresql://me:p%40ss@db.example:6543/app?sslmode=require", pool_size=5, statement_timeout_ms=9000
    )
    assert (tcp["USER"], tcp["PASSWORD"], tcp["HOST"], tcp["PORT"], tcp["NAME"]) == (
        "me", "p@ss", "db.example", "6543", "app",
    )  # fmt: skip
    assert tcp["OPTIONS"]["sslmode"] == "require"
    assert tcp["OPTIONS"]["pool"]["max_size"] == 5
    assert "statement_timeout=9000" in tcp["OPTIONS"]["options"]
    socket = databases.postgresql("postgres://me@/app?host=/run/pg&port=1", pool_size=0, statement_timeout_ms=0)
    assert (socket["HOST"], socket["PORT"], "pool" in socket["OPTIONS"]) == ("/run/pg", "1", False)
    with pytest.raises(ImproperlyConfigured, match="no database"):
        databases.postgresql("postgresql://host", pool_size=0, statement_timeout_ms=0)


def test_celery_spells_sockets_its_own_way() -> None:
    """redis:// stays; unix:// becomes kombu's redis+socket://."""
    assert databases.celery_broker("redis://:x@h:6379/2") == "redis://:x@h:6379/2"
    assert databases.celery_broker("unix:///run/redis.sock?db=3") == "redis+socket:///run/redis.sock?virtual_host=3"
