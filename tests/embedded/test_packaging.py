"""The files around the code agree with it and with each other."""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
EXAMPLE = (PROJECT / ".env.example").read_text()
OFFERED = set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", EXAMPLE, re.MULTILINE))
APPLICATION = {"web", "voicenode", "worker-esl", "worker", "worker-webhooks", "beat"}


def names_in_settings() -> set[str]:
    """Every variable that the settings read."""
    source = (PROJECT / "secretary" / "config" / "settings.py").read_text()
    return set(re.findall(r"env\.[a-z_]+\(\s*\"([A-Z0-9_]+)\"", source))


def normal(requirement: str) -> str:
    return re.split(r"[\[<>=!~;\s]", requirement, maxsplit=1)[0].lower().replace("_", "-").replace(".", "-")


def locked(name: str) -> dict[str, set[str]]:
    """name -> pinned versions of a requirements file."""
    pins: dict[str, set[str]] = {}
    for found in re.finditer(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", (PROJECT / name).read_text(), re.MULTILINE):
        pins.setdefault(normal(found[1]), set()).add(found[2])
    return pins


def test_example_names_every_variable() -> None:
    """Nobody has to read the code to configure it."""
    assert len(names_in_settings()) > 15
    assert names_in_settings() <= OFFERED


def test_example_offers_nothing_that_nobody_reads() -> None:
    """A variable that was renamed must not live on in the documentation."""
    compose = (PROJECT / "docker-compose.yml").read_text()
    known = names_in_settings() | set(re.findall(r"\$\{([A-Z0-9_]+)", compose)) | {"WEB_BIND"}
    assert known >= OFFERED


def test_compose_asks_for_nothing_that_the_example_does_not_explain() -> None:
    """`cp .env.example .env` is all the instruction there is."""
    compose = (PROJECT / "docker-compose.yml").read_text()
    assert set(re.findall(r"\$\{([A-Z0-9_]+)", compose)) <= OFFERED


def test_example_holds_no_secret() -> None:
    """What is copied and forgotten must not work."""
    for name in ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "POSTGRES_PASSWORD", "POSTGRES_SUPERUSER_PASSWORD"):
        assert re.search(rf"^{name}=$", EXAMPLE, re.MULTILINE)


@pytest.mark.parametrize("name", sorted(APPLICATION))
def test_processes_wait_for_servers_and_tables(name: str) -> None:
    """No process meets a database that is not there or not migrated."""
    conditions = {needed: how["condition"] for needed, how in COMPOSE["services"][name]["depends_on"].items()}
    assert conditions == {
        "postgres": "service_healthy",
        "redis": "service_healthy",
        "migrate": "service_completed_successfully",
    }


def test_every_service_has_a_health_check() -> None:
    """Of the image (web), or its own; the one-shot needs none."""
    for name in set(COMPOSE["services"]) - {"web", "migrate"}:
        assert COMPOSE["services"][name]["healthcheck"]["test"], name
    assert "HEALTHCHECK" in (PROJECT / "Dockerfile").read_text()


def test_ports_are_on_loopback() -> None:
    """Docker's port forwarding passes by the machine's firewall, so an open port would be open to all."""
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert len(ports) >= 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def queues(command: Sequence[str]) -> set[str]:
    """The queues of a Celery worker; none of another process."""
    return set(command[command.index("-Q") + 1].split(",")) if "-Q" in command else set()


def test_compose_and_supervisor_run_the_same_processes() -> None:
    """What a newcomer tries out is what production runs; only the webhooks' worker of its own is left to production."""
    from secretary.embedded.services import application_services

    embedded = application_services({})
    production = {
        name: one for name, one in COMPOSE["services"].items() if name not in {"postgres", "redis", "migrate"}
    }
    assert set(embedded) | {"worker-webhooks"} == set(production) == APPLICATION
    served = [
        set[str]().union(*(queues(command) for command in commands))
        for commands in (
            [service.command for service in embedded.values()],
            [service.get("command", []) for service in production.values()],
        )
    ]
    assert served[0] == served[1] >= {"default", "esl"}


def test_lock_holds_every_dependency() -> None:
    """pyproject.toml was changed without script/lock."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    files = {"requirements.txt": project["project"]["dependencies"]}
    for group in ("model", "embedded", "dev"):
        files[f"requirements-{group}.txt"] = project["dependency-groups"][group]
    for name, wanted in files.items():
        assert {normal(requirement) for requirement in wanted} <= set(locked(name)), name


def test_lock_files_agree() -> None:
    """They are installed into one environment."""
    base = locked("requirements.txt")
    for name in ("requirements-model.txt", "requirements-embedded.txt", "requirements-dev.txt"):
        for package, versions in locked(name).items():
            assert package not in base or versions <= base[package], (name, package)


def test_nothing_pulls_torch() -> None:
    """2 GB for a file of 2 MB."""
    for file in PROJECT.glob("requirements*.txt"):
        assert not {"torch", "torchaudio"} & set(locked(file.name))


@pytest.mark.parametrize("name", ["setup", "lock", "demo", "up", "manage", "test", "lint"])
def test_scripts_can_be_run(name: str) -> None:
    """And stop at the first error."""
    script = PROJECT / "script" / name
    assert stat.S_IMODE(script.stat().st_mode) & 0o111
    assert "set -euo pipefail" in script.read_text()


def test_compose_hands_every_variable_on() -> None:
    """What is set in .env must reach the processes; these are decided by the image, or are for development."""
    reached = set(COMPOSE["x-environment"]) | set(COMPOSE["services"]["voicenode"]["environment"])
    assert names_in_settings() - reached == {"DEBUG", "DATA_DIR", "STATIC_MANIFEST"}
