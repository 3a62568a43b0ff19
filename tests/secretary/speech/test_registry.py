"""A node's book of speech providers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from secretary.speech import registry
from secretary.speech.contract import Access, Briefing, Place, ProviderError
from secretary.speech.registry import Providers

ACME = Briefing(
    call_uuid="c1",
    domain_uuid="d1",
    secretary_uuid="s1",
    secretary_name="Clara",
    language="en",
    voice="",
    greeting="Hello.",
    prompt="",
    places=(Place("p1", "Sales"),),
)


class Double:
    """A provider that counts."""

    def __init__(self, data_dir: Path) -> None:
        self.prepared: list[Briefing] = []
        self.closed = False

    async def start(self) -> None: ...

    async def prepare(self, briefing: Briefing, access: Access) -> None:
        self.prepared.append(briefing)

    def session(self, briefing: Briefing, access: Access) -> Any:
        return object()

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Providers, Double]:
    monkeypatch.setattr(registry, "PROVIDERS", {"local": Double})
    providers = Providers(tmp_path)
    return providers, cast(Double, providers._providers["local"])


async def test_a_burst_of_calls_prepares_a_secretary_once(double: tuple[Providers, Double]) -> None:
    """Callers' turns wait in the same queue as preparations: fifty calls are one of those."""
    providers, provider = double
    for number in range(50):
        providers.session("local", replace(ACME, call_uuid=str(number), caller_number=str(number)))
    await asyncio.sleep(0)
    assert len(provider.prepared) == 1


async def test_a_changed_secretary_is_prepared_again(double: tuple[Providers, Double]) -> None:
    """Another greeting or destination is another grammar and another voice file."""
    providers, provider = double
    for briefing in (ACME, replace(ACME, greeting="Good day."), replace(ACME, places=(Place("p1", "Support"),))):
        await providers.prepare("local", briefing)
    assert len(provider.prepared) == 3


async def test_secretaries_of_two_domains_are_prepared_apart(double: tuple[Providers, Double]) -> None:
    """Nothing that was made ready for one tenant counts for another."""
    providers, provider = double
    await providers.prepare("local", ACME)
    await providers.prepare("local", replace(ACME, domain_uuid="d2"))
    assert [briefing.domain_uuid for briefing in provider.prepared] == ["d1", "d2"]


async def test_an_unknown_provider_is_named(double: tuple[Providers, Double]) -> None:
    """The administrator reads which there are."""
    providers, _ = double
    with pytest.raises(ProviderError, match="known are local"):
        providers.session("nobody", ACME)


async def test_stopping_closes_all(double: tuple[Providers, Double]) -> None:
    """Nothing is left behind."""
    providers, provider = double
    providers.session("local", ACME)
    await providers.stop()
    assert provider.closed
