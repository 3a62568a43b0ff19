"""Whoever reaches the Event Socket port is not every domain's switch. Every address here is this machine's."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from functools import partial
from ipaddress import ip_network

import pytest

from eslbridge.esl.call import OutboundCall
from eslbridge.esl.door import Door
from eslbridge.esl.outbound import OutboundServer
from eslbridge.metrics import ESL_DROPPED
from eslbridge.services import save_credential
from secretary.voicenode.node import _host_of as host_of
from tenants.context import in_thread
from tests.cast import Tenant, make_tenant
from tests.eslbridge.esl.switch import CONNECT_REPLY, RECORDED_UUID, Switch

pytestmark = [pytest.mark.django_db(transaction=True)]
PBX = {"acme.example": "127.0.0.2", "globex.example": "127.0.0.3"}


class Node:
    """A server behind a door, and the calls that came in."""

    def __init__(self, *trusted: str) -> None:
        self.calls: list[OutboundCall] = []
        self.door = Door(
            peers=[ip_network("127.0.0.0/29")],
            trusted=[ip_network(one) for one in trusted],
            host_of=host_of,
        )
        self.server = OutboundServer(self.calls.append, port=0, door=self.door)

    async def brought(self, origin: str, domain: object) -> Switch:
        """A switch at `origin` says that a call is this domain's."""
        switch = await Switch.dial(self.server.port, origin=origin)
        claim = f"variable_domain_uuid: {domain}\n".encode()
        switch.answers["connect"], found = re.subn(rb"variable_domain_uuid: .*\n", claim, CONNECT_REPLY)
        assert found == 1
        return switch

    async def refused(self, origin: str, domain: object) -> bool:
        """Whether the call went back to the dialplan at once, and nobody here knows of it."""
        known, before = len(self.calls), ESL_DROPPED.labels("foreign")._value.get()
        switch = await self.brought(origin, domain)
        async with asyncio.timeout(5):
            while len(self.calls) == known and not switch.closed and "exit" not in switch.said:
                await asyncio.sleep(0.01)
        if len(self.calls) > known:
            return False
        assert f"api uuid_setvar {RECORDED_UUID} eslbridge_result 'foreign_switch'" in switch.said
        assert f"api sched_del wd-{RECORDED_UUID}" in switch.said, "the caller waits for no watchdog"
        assert not [line for line in switch.said if "answer" in line or "unicast" in line]
        assert ESL_DROPPED.labels("foreign")._value.get() == before + 1
        return True


@pytest.fixture
def tenants(transactional_db: None) -> tuple[Tenant, Tenant]:
    acme, globex = (make_tenant(name) for name in PBX)
    for one in (acme, globex):
        save_credential(domain_uuid=one.domain_uuid, host=PBX[one.name])
    return acme, globex


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    node = Node("127.0.0.1/32")
    await node.server.start()
    yield node
    await node.server.close()
    await node.door.close()


async def test_a_switch_that_claims_another_domain(node: Node, tenants: tuple[Tenant, Tenant]) -> None:
    """Acme's switch brings acme's calls; globex's it does not, and its caller reaches the dialplan's fallback."""
    acme, globex = tenants
    assert not await node.refused(PBX["acme.example"], acme.domain_uuid)
    assert await node.refused(PBX["acme.example"], globex.domain_uuid)
    assert await node.refused(PBX["globex.example"], acme.domain_uuid)
    assert await node.refused("127.0.0.4", acme.domain_uuid), "nobody's switch"
    for nobody in ("", "acme.example", "00000000-0000-4000-8000-000000000000"):
        assert await node.refused(PBX["acme.example"], nobody)


async def test_a_live_call_is_not_taken_over(node: Node, tenants: tuple[Tenant, Tenant]) -> None:
    """A stranger who knows the UUID of a live call does not become that call's newer connection."""
    acme, _globex = tenants
    assert not await node.refused(PBX["acme.example"], acme.domain_uuid)
    live = node.calls[0]
    assert await node.refused(PBX["globex.example"], acme.domain_uuid)
    assert not live.superseded and live.is_open and node.server.call(RECORDED_UUID) is live


async def test_the_settings(node: Node, tenants: tuple[Tenant, Tenant]) -> None:
    """A trusted address is believed about every domain; one that may not connect at all about none, whosever it is."""
    acme, globex = tenants
    assert not await node.refused("127.0.0.1", acme.domain_uuid)
    assert not await node.refused("127.0.0.1", globex.domain_uuid)
    await in_thread(partial(save_credential, domain_uuid=acme.domain_uuid, host="127.0.0.77"))
    assert await node.refused("127.0.0.77", acme.domain_uuid)
