"""The measurement of the greeting is one of real calls."""

from __future__ import annotations

import pytest

from eslbridge.dialplan import Node, Shape, render
from secretary.bench import greeting
from secretary.selectors.dialplan import dialplan_of
from tenants.context import in_tenant
from tests.cast import Tenant
from tests.secretary.voicenode.conftest import Exchange, acme, exchange

__all__ = ["acme", "exchange"]


async def test_every_caller_is_greeted(exchange: Exchange, acme: Tenant) -> None:
    """Each call waits until it hears a voice, and its wait is told in ms."""
    await exchange.install(acme)
    nodes = [Node("127.0.0.1", exchange.server.port)]
    plan = await in_tenant(acme.domain_uuid, dialplan_of, domain_uuid=acme.domain_uuid, nodes=nodes)
    waits = await greeting._call(render(plan, Shape.PLAIN), acme.name, "8001", 3, 20.0)
    assert len(waits) == 3
    assert all(wait is not None and 0 < wait < 2_000 for wait in waits)
    assert await exchange.reception.emptied(5)


def test_a_domain_that_does_not_exist_is_said(transactional_db: None) -> None:
    """Not a traceback."""
    with pytest.raises(RuntimeError, match="no domain"):
        greeting.run({"domain": "nobody.example"})
