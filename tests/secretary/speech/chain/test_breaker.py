"""Circuits: a provider that is out of order is not tried by every call, and nobody pays for another's key."""

from __future__ import annotations

import asyncio

from secretary.scenarios import virtual_time
from secretary.speech.breaker import LONGEST_PAUSE_S, PAUSE_S, PROBE_S, Breaker
from secretary.speech.contract import Access, ProviderError
from secretary.speech.steps import Step
from tests.secretary.speech.chain.cast import ACME, Scene, three


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def opened(breaker: Breaker, step: Step = ACME, domain: str = "d1") -> None:
    for _ in range(3):
        breaker.failed(step, domain, "unreachable")


def test_a_dead_provider_is_left_alone() -> None:
    """After three failures in a row it is left alone, for everybody who shares its access."""
    breaker = Breaker(Clock())
    breaker.failed(ACME, "d1", "unreachable")
    breaker.failed(ACME, "d2", "unreachable")
    assert breaker.allows(ACME, "d1")
    breaker.failed(ACME, "d3", "unreachable")
    assert not breaker.allows(ACME, "d1") and not breaker.allows(ACME, "d4") and breaker.open == 1


def test_one_call_tries() -> None:
    """After the pause one call is the probe; the others go past it until it is known, and longer where it failed."""
    clock = Clock()
    breaker = Breaker(clock)
    opened(breaker)
    clock.now = PAUSE_S + 0.1
    assert [breaker.allows(ACME, "d1") for _ in range(3)] == [True, False, False]
    breaker.failed(ACME, "d1", "unreachable")
    clock.now += PAUSE_S + 0.1
    assert not breaker.allows(ACME, "d1")
    clock.now += PAUSE_S
    assert breaker.allows(ACME, "d1")
    breaker.succeeded(ACME, "d1")
    assert breaker.allows(ACME, "d1") and breaker.allows(ACME, "d1")


def test_a_probe_that_never_tells() -> None:
    """A caller who hangs up while it is tried does not close the circuit for ever."""
    clock = Clock()
    breaker = Breaker(clock)
    opened(breaker)
    clock.now = PAUSE_S + 0.1
    assert breaker.allows(ACME, "d1")
    clock.now += PROBE_S + 0.1
    assert breaker.allows(ACME, "d1")


def test_the_pause_has_an_end() -> None:
    """However long a provider was out of order, it is tried again within five minutes."""
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(50):
        breaker.failed(ACME, "d1", "unreachable", 9e9)
    clock.now += LONGEST_PAUSE_S + 0.1
    assert breaker.allows(ACME, "d1")


def test_a_tenants_bad_key() -> None:
    """One tenant's key that is not accepted is no other tenant's affair, and a mended one is tried at once."""
    breaker = Breaker(Clock())
    mine = Step("acme", Access(api_key="bad"), "uuid-1")
    breaker.failed(mine, "d1", "auth")
    assert not breaker.allows(mine, "d1")
    assert breaker.allows(Step("acme", Access(api_key="good"), "uuid-1"), "d1")
    assert breaker.allows(Step("acme", Access(api_key="other"), "uuid-2"), "d2") and breaker.allows(ACME, "d2")


def test_what_a_tenant_asks_for() -> None:
    """A tenant whose tools or voice a provider refuses does not shut the installation's key to the others."""
    breaker = Breaker(Clock())
    for _ in range(9):
        breaker.failed(ACME, "d1", "refused")
        breaker.failed(ACME, "d1", "protocol")
    assert not breaker.allows(ACME, "d1") and breaker.allows(ACME, "d2")


def test_a_limit_in_mid_call() -> None:
    """A service that asks to be left alone for so long in the middle of a call is left alone for so long by all."""

    async def calls() -> None:
        scene = Scene(*three())
        await scene.begin()
        ear = scene.acme.now.ear
        assert ear is not None
        ear.on_failed("too many", "rate_limited", 40.0)
        await asyncio.sleep(39)
        assert not scene.breaker.allows(ACME, "d1")
        await asyncio.sleep(2)
        assert scene.breaker.allows(ACME, "d1")

    virtual_time.run(calls())


def test_opening_is_no_proof() -> None:
    """One that opens every time and never answers is left alone like one that does not open; an answer clears it."""

    async def calls() -> None:
        breaker = Breaker(asyncio.get_running_loop().time)
        for _ in range(3):
            scene = Scene(*three(answer_s=None), breaker=breaker)
            await scene.begin()
            scene.turn()
            await asyncio.sleep(6)
            assert scene.chain.step.provider == "other"
        scene = Scene(*three(answer_s=None), breaker=breaker)
        await scene.begin()
        assert scene.chain.step.provider == "other" and scene.noted("provider_skipped")
        await asyncio.sleep(60)
        scene = Scene(*three(), breaker=breaker)
        await scene.begin()
        scene.turn()
        await asyncio.sleep(1)
        assert scene.caller.words[-1] == "This is acme." and breaker.allows(ACME, "d1") and breaker.allows(ACME, "d1")

    virtual_time.run(calls())


def test_a_session_at_its_end_is_no_failure() -> None:
    """Sessions end after their time; that says nothing about the provider."""
    breaker = Breaker(Clock())
    for _ in range(9):
        breaker.failed(ACME, "d1", "expired")
    assert breaker.allows(ACME, "d1")


def test_calls_go_past_it() -> None:
    """With an open circuit the next provider greets at once, and the local secretary is never left alone."""

    async def calls() -> None:
        loop = asyncio.get_running_loop()
        breaker = Breaker(loop.time)
        for number in range(5):
            scene = Scene(*three(refuses=ProviderError("down", kind="unreachable")), breaker=breaker)
            scene.local.refuses = ProviderError("no voice") if number < 4 else None
            await scene.begin()
            assert len(scene.acme.sessions) == (1 if number < 3 else 0)
            assert scene.caller.words == ["Good morning."]
            await scene.chain.close()
        assert scene.noted("provider_skipped") == [{"provider": "acme"}]
        scene = Scene(*three(), breaker=breaker, steps=())
        for _ in range(9):
            breaker.failed(Step("local"), "d1", "unreachable")
        await scene.begin()
        assert scene.chain.step.provider == "local"

    virtual_time.run(calls())
