"""A switch on a fast clock and free ports."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from eslbridge.simulator import Clock, Extension, Options, StandInSwitch

DOMAIN = "acme.example"


@pytest.fixture
async def switch() -> AsyncIterator[StandInSwitch]:
    """Twenty seconds of the switch pass in one."""
    extensions = [Extension("1001", DOMAIN), Extension("1002", DOMAIN, "busy", 0.2)]
    extensions += [Extension("1003", DOMAIN, "no_answer"), Extension("1004", DOMAIN, "unregistered")]
    async with StandInSwitch(Options(port=0, extensions=extensions), clock=Clock(20)) as switch:
        yield switch
