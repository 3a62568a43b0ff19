"""Asking a switch whether somebody is free: over the connection that is there, from a node and from a worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from eslbridge.esl.async_pool import AsyncPool
from eslbridge.metrics import ESL_CLIENT_CONNECTS
from eslbridge.services import save_credential
from eslbridge.simulator import Extension, Options, StandInSwitch
from secretary.services import colleague
from secretary.services.availability import Free, ask_switch
from secretary.services.colleague import colleague_free
from tenants.context import in_thread
from tests.cast import Tenant, make_tenant

pytestmark = [pytest.mark.django_db(transaction=True)]
PHONES = [Extension("1001", "acme.example"), Extension("1002", "acme.example", "unregistered")]


@pytest.fixture
async def switch() -> AsyncIterator[StandInSwitch]:
    async with StandInSwitch(Options(port=0, extensions=PHONES)) as switch:
        yield switch


@pytest.fixture
async def acme(transactional_db: None, switch: StandInSwitch) -> Tenant:
    tenant = await in_thread(make_tenant, "acme.example")
    reached = {"port": switch.port, "password": switch.options.password}
    await in_thread(save_credential, domain_uuid=tenant.domain_uuid, **reached)
    return tenant


def logins() -> float:
    return ESL_CLIENT_CONNECTS.labels("ok")._value.get()


async def test_from_a_node(acme: Tenant) -> None:
    """A conversation's tools and its transfers share the node's connection."""
    pool, before = AsyncPool(), logins()
    for number, word in (("1001", Free.FREE), ("1002", Free.UNREGISTERED), ("1001", Free.FREE)):
        found = await ask_switch(
            pool, domain_uuid=acme.domain_uuid, domain_name=acme.name, kind="extension", number=number
        )
        assert found.word is word
    assert logins() == before + 1
    await pool.close()


async def test_from_a_worker(acme: Tenant) -> None:
    """Without a loop of its own: of many questions, from any thread, one logs in. What is idle is closed."""
    before = logins()
    about = {"domain_uuid": acme.domain_uuid, "kind": "extension"}
    try:
        words = await asyncio.gather(*(in_thread(colleague_free, number=one, **about) for one in ("1001", "1002") * 3))
        assert [found.word for found in words] == [Free.FREE, Free.UNREGISTERED] * 3
        assert logins() == before + 1
        assert (await in_thread(colleague_free, number="1001", **{**about, "kind": "external"})).word is Free.UNKNOWN
        idle = asyncio.run_coroutine_threadsafe(colleague.asking._pool.drop_idle(0.0), colleague.asking._running())
        await asyncio.wrap_future(idle)
        assert (await in_thread(colleague_free, number="1001", **about)).word is Free.FREE
        assert logins() == before + 2
    finally:
        await asyncio.to_thread(colleague.asking.close)


async def test_a_switch_that_is_not_there(acme: Tenant, switch: StandInSwitch) -> None:
    """Unknown, soon, and to nobody's harm; so is a switch that refuses the password, and another tenant's domain."""
    await in_thread(save_credential, domain_uuid=acme.domain_uuid, password="wrong")
    try:
        assert (
            await in_thread(colleague_free, domain_uuid=acme.domain_uuid, kind="extension", number="1001")
        ).word is (Free.UNKNOWN)
        nobody = "00000000-0000-4000-8000-000000000000"
        assert (await in_thread(colleague_free, domain_uuid=nobody, kind="queue", number="600")).word is Free.UNKNOWN  # type: ignore[arg-type]
    finally:
        await asyncio.to_thread(colleague.asking.close)
