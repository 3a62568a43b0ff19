"""Quotas on the way of a call through the node: refused before it is answered, ended politely while it lasts."""

from __future__ import annotations

import asyncio

from django.conf import settings
from django.utils import timezone

from eslbridge.simulator.caller import Caller
from secretary.conversation.sentences import sentences
from secretary.models import UsageDay, UsageRecord
from secretary.voicenode import desk
from tenants.context import in_tenant, in_thread
from tenants.models import QuotaAlarm
from tenants.quotas import set_quota
from tests.cast import Tenant
from tests.secretary.voicenode.conftest import Exchange, row_of


async def use(tenant: Tenant, seconds: int) -> None:
    def write() -> None:
        UsageDay.objects.create(
            day=timezone.now().date(), provider="local", unit="second", currency="USD", quantity=seconds
        )

    await in_tenant(tenant.domain_uuid, write)


async def test_minutes_used_up(exchange: Exchange, acme: Tenant) -> None:
    """The caller is not answered by us but by the fallback; it is on record, and the domain is told."""
    await exchange.install(acme)
    await in_thread(set_quota, domain_uuid=acme.domain_uuid, minutes_per_day=1)
    await use(acme, 50)
    channel = exchange.dial(acme, Caller([], patience_ms=8_000))
    await exchange.reached(channel, "1099")
    assert not exchange.providers.sessions
    channel.phone_hung_up()
    await exchange.ended(channel)
    call = await row_of(acme, channel)
    assert (call.outcome, call.outcome_detail) == ("fallback", "minutes_used_up")
    percents = await in_tenant(acme.domain_uuid, lambda: sorted(QuotaAlarm.objects.values_list("percent", flat=True)))
    assert percents == [80, 100]


async def test_used_up_during_the_call(exchange: Exchange, acme: Tenant) -> None:
    """The renewal of the leases brings the end: a sentence, then the fallback. The seconds are written down."""
    await exchange.install(acme)
    channel = exchange.dial(acme, Caller([], patience_ms=15_000))
    async with asyncio.timeout(10):
        while not exchange.reception.call_uuids or not exchange.providers.sessions:
            await asyncio.sleep(0.02)
        await asyncio.sleep(1.0)
    await in_thread(set_quota, domain_uuid=acme.domain_uuid, minutes_per_day=1)
    await use(acme, 60)
    allowed = await in_thread(desk.renew, node=settings.VOICENODE_NAME, call_uuids=exchange.reception.call_uuids)
    assert list(allowed.values()) == [0.0]
    exchange.reception.allow(allowed)
    await exchange.reached(channel, "1099")
    channel.phone_hung_up()
    await exchange.ended(channel)
    call = await row_of(acme, channel)
    assert (call.outcome, call.outcome_detail) == ("fallback", "allowance_used_up")
    assert [line.text for line in call.utterances.all()][-1] == sentences("en").allowance
    quantity = await in_tenant(acme.domain_uuid, lambda: UsageRecord.objects.get(call=call).quantity)
    assert 1 <= quantity < 10
