"""Secrets and ports of the embedded profile."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from secretary.embedded.profile import PORTS, Profile, free_port, is_free, overlay

# Ports that nobody else on the machine comes and goes on while a test looks.
QUIET = {name: 23_000 + os.getpid() % 1000 * 7 + number for number, name in enumerate(PORTS)}


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    """A second start finds the same secrets: a new key would make encrypted fields unreadable."""
    first = Profile.load(tmp_path / "embedded.env")
    first.complete(base=QUIET)
    second = Profile.load(tmp_path / "embedded.env")
    second.complete(base=QUIET)
    assert first.values == second.values
    Fernet(second.values["FIELD_ENCRYPTION_KEYS"])
    assert len(second.values["SECRET_KEY"]) >= 50


def test_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    """The file holds every secret of the installation."""
    path = tmp_path / "embedded.env"
    Profile.load(path).complete()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_folders_share_no_secret(tmp_path: Path) -> None:
    """Nothing is derived from what another machine could know."""
    one, other = Profile.load(tmp_path / "a"), Profile.load(tmp_path / "b")
    one.complete()
    other.complete()
    assert not {v for n, v in one.values.items() if n not in PORTS} & {
        v for n, v in other.values.items() if n not in PORTS
    }


def test_a_port_in_use_is_replaced_and_the_user_is_told(tmp_path: Path) -> None:
    """Somebody else's program on our port moves us, never the other way round."""
    profile = Profile.load(tmp_path / "embedded.env")
    profile.complete(base=QUIET)
    with socket.socket() as foreign:
        foreign.bind(("127.0.0.1", profile.port("WEB_PORT")))
        foreign.listen()
        taken = profile.port("WEB_PORT")
        again = Profile.load(profile.path)
        again.complete(base=QUIET)
    assert again.port("WEB_PORT") != taken
    assert any("WEB_PORT" in note and str(taken) in note for note in again.notes)
    assert Profile.load(profile.path).values == again.values


def test_ports_that_are_not_asked_for_stay(tmp_path: Path) -> None:
    """A short command must not move the port that a switch's dialplan names."""
    profile = Profile.load(tmp_path / "embedded.env")
    profile.complete(base=QUIET)
    with socket.socket() as running:
        running.bind(("127.0.0.1", profile.port("VOICENODE_ESL_PORT")))
        running.listen()
        again = Profile.load(profile.path)
        again.complete(["POSTGRES_PORT", "REDIS_PORT"])
    assert again.values == profile.values


def test_all_ports_differ(tmp_path: Path) -> None:
    """Even where the first choices lie side by side."""
    profile = Profile.load(tmp_path / "embedded.env")
    profile.complete(base=dict.fromkeys(PORTS, 21_000))
    assert len({profile.port(name) for name in PORTS}) == len(PORTS)


def test_udp_port_in_use_is_seen() -> None:
    """The audio socket is UDP; a TCP probe would call it free."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as foreign:
        foreign.bind(("127.0.0.1", 0))
        port = foreign.getsockname()[1]
        assert not is_free(port, udp=True)
        assert free_port(port, udp=True) > port


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"SECRET_KEY": "ours"}),
        ({"SECRET_KEY": "theirs"}, {"SECRET_KEY": "theirs"}),
        ({"SECRET_KEY_FILE": "/run/key"}, {"SECRET_KEY_FILE": "/run/key"}),
    ],
)
def test_environment_wins(given: dict[str, str], expected: dict[str, str]) -> None:
    """A value from outside replaces ours, also when it comes as a file: both at once is an error of the settings."""
    assert overlay({"SECRET_KEY": "ours"}, given) == expected
