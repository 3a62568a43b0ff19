"""A call that a foreign switch brings, as its caller has it."""

from __future__ import annotations

import logging

import pytest

from eslbridge.esl.door import Door
from eslbridge.simulator.caller import Caller, HangUp, WaitSilence
from secretary.models import Call
from secretary.voicenode.node import _host_of as host_of
from tenants.context import in_tenant
from tests.cast import Tenant
from tests.secretary.voicenode.conftest import Exchange

pytestmark = [pytest.mark.django_db(transaction=True)]


async def test_the_caller_reaches_the_fallback(
    exchange: Exchange, acme: Tenant, globex: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    """A domain whose switch is elsewhere: its "call" goes to the dialplan's fallback, and its own list has none."""
    await exchange.install(acme)
    await exchange.install(globex, host="192.0.2.7")
    exchange.server._door = Door(peers=None, trusted=[], host_of=host_of)
    channel = exchange.dial(globex, Caller([], patience_ms=8_000))
    with caplog.at_level(logging.WARNING):
        await exchange.reached(channel, "1099")
    assert channel.variable("eslbridge_result") == "foreign_switch"
    refused = [one.getMessage() for one in caplog.records if "foreign switch" in one.getMessage()]
    assert len(refused) == 1 and channel.uuid in refused[0] and "127.0.0.1" in refused[0]
    channel.phone_hung_up()
    await exchange.ended(channel)
    assert await in_tenant(globex.domain_uuid, lambda: Call.objects.count()) == 0
    own = exchange.dial(acme, Caller([WaitSilence(300), HangUp()]))
    await exchange.ended(own)
    assert await in_tenant(acme.domain_uuid, lambda: Call.objects.count()) == 1
