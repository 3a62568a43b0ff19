"""A caller who was sent on, and comes back: she knows from where and how it went, and nobody goes round for ever."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from eslbridge.esl.returning import uuid_transfer_and_return
from eslbridge.models import Job, JobKind, JobState
from eslbridge.simulator.caller import Caller, Pause, WaitSilence
from eslbridge.simulator.channel import Channel
from secretary.models import Call
from secretary.speech.contract import CameBack, Said
from secretary.voicenode.arrival import Arrival
from secretary.voicenode.coming_back import MOST_VISITS, back_of, how_it_went
from tenants.context import in_tenant, tenant_context
from tests.cast import Tenant
from tests.secretary.voicenode.conftest import Exchange, row_of

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("kind", "disposition", "away_s", "outcome"),
    [
        ("queue", "USER_BUSY", 1, "busy"),
        ("ivr", "NO_ANSWER", 30, "no_answer"),
        ("queue", "", 40, "no_answer"),
        ("queue", "", 0.2, "unreachable"),
        ("voicemail", "", 0.2, "unreachable"),
        ("voicemail", "", 20, "over"),
        ("ivr", "SUCCESS", 20, "over"),
        ("secretary", "", 20, "unreachable"),
    ],
)
def test_how_it_went(kind: str, disposition: str, away_s: float, outcome: str) -> None:
    """What the last bridge said counts; else how long the caller was away, and where."""
    assert how_it_went(kind, disposition, away_s) == outcome


async def sent_on(exchange: Exchange, tenant: Tenant, channel: Channel, destination: str, number: str = "600") -> None:
    """What a worker does for a destination whose dialplan has the caller's own leg."""

    def write() -> None:
        Job.objects.create(
            domain_id=tenant.domain_uuid,
            kind=JobKind.TRANSFER,
            call_uuid=UUID(channel.uuid),
            arguments={"destination_uuid": destination},
            state=JobState.DONE,
            outcome="done",
            finished_at=timezone.now(),
        )

    await in_tenant(tenant.domain_uuid, write)
    command = uuid_transfer_and_return(channel.uuid, number, context=tenant.name, back_to="8001")
    await exchange.switch.api.run(command.line.removeprefix("api "))


async def spoken(exchange: Exchange, session: int) -> None:
    """Until this session, counted from 0, has spoken."""
    async with asyncio.timeout(10):
        while len(exchange.providers.sessions) <= session or not exchange.providers.sessions[session].spoke:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("actions", "word", "sentence"),
    [
        ([("bridge", "user/1002@acme.example")], "busy", "Sales is on another call."),
        ([("sleep", "50")], "unreachable", "Sales is away at the moment."),
        ([("transfer", "8001 XML acme.example")], "unreachable", "Sales is away at the moment."),
    ],
)
async def test_she_knows_where_the_caller_was(
    exchange: Exchange, acme: Tenant, actions: list[tuple[str, str]], word: str, sentence: str
) -> None:
    """Instead of a greeting the caller hears what happened and what can be done; a model is told the same."""
    await exchange.install(acme)
    exchange.busy(acme, "1002")
    exchange.switch.dialplan.add(acme.name, "600", actions)
    channel = exchange.dial(acme, Caller([WaitSilence(300), Pause(30_000)], patience_ms=60_000))
    await spoken(exchange, 0)
    await sent_on(exchange, acme, channel, str(acme.sales.pk))
    await spoken(exchange, 1)
    told = exchange.providers.sessions[1].briefing
    assert told.came_back == CameBack(str(acme.sales.pk), word)
    assert told.greeting.startswith(sentence) and sentence in told.instructions
    assert all(isinstance(line, Said) for line in told.history)
    assert channel.variable("secretary_hops") == "2"
    channel.phone_hung_up()
    await exchange.ended(channel)
    noted = [event.detail for event in (await row_of(acme, channel)).events.all() if event.kind == "came_back"]
    assert noted == [{"name": "Sales", "outcome": word}]


async def test_where_another_tenant_sends_people_is_nobodys_business(
    exchange: Exchange, acme: Tenant, globex: Tenant
) -> None:
    """A destination of globex on acme's channel says nothing: the caller is greeted as everybody is."""
    await exchange.install(acme)
    exchange.switch.dialplan.add(acme.name, "600", [("sleep", "50")])
    channel = exchange.dial(acme, Caller([WaitSilence(300), Pause(30_000)], patience_ms=60_000))
    await spoken(exchange, 0)
    await sent_on(exchange, acme, channel, str(globex.sales.pk))
    await spoken(exchange, 1)
    told = exchange.providers.sessions[1].briefing
    assert told.came_back is None and told.greeting == exchange.providers.sessions[0].briefing.greeting
    channel.phone_hung_up()
    await exchange.ended(channel)


async def test_nobody_goes_round_for_ever(exchange: Exchange, acme: Tenant) -> None:
    """Too many visits of one call lead to the fallback; where that leads to the secretary again, the call ends."""
    await exchange.install(acme)
    often = exchange.dial(acme, Caller(patience_ms=None), variables={"secretary_hops": str(MOST_VISITS)})
    await exchange.reached(often, "1099")
    assert (await row_of(acme, often)).outcome_detail == "goes_round"
    often.phone_hung_up()
    ever = exchange.dial(acme, Caller(patience_ms=None), variables={"secretary_hops": str(MOST_VISITS + 1)})
    await exchange.ended(ever)
    assert ever.hangup_cause == "EXCHANGE_ROUTING_ERROR"
    assert exchange.providers.sessions == []


@pytest.mark.parametrize(
    ("outcome", "jobs", "found"),
    [
        ("transferred", [("transfer", "done")], "unreachable"),
        ("in_progress", [("transfer", "done")], "cut_off"),
        ("failed", [], "cut_off"),
        ("transferred", [("transfer", "failed")], ""),
        ("transferred", [("transfer", "done"), ("consult", "done")], ""),
        ("transferred", [], ""),
        ("caller_hung_up", [("transfer", "done")], ""),
    ],
)
def test_who_comes_back(acme: Tenant, outcome: str, jobs: list[tuple[str, str]], found: str) -> None:
    """Whom she sent on last, and who lost her by her node's death; not who comes from a colleague they talked to."""
    call = acme.call()
    with tenant_context(acme.domain_uuid):
        ended_at = None if outcome == "in_progress" else timezone.now()
        detail = "node_lost" if outcome == "failed" else ""
        Call.objects.filter(pk=call.pk).update(outcome=outcome, outcome_detail=detail, ended_at=ended_at)
        for kind, state in jobs:
            Job.objects.create(
                domain_id=acme.domain_uuid,
                kind=kind,
                call_uuid=call.pk,
                arguments={"destination_uuid": str(acme.sales.pk)},
                state=state,
                outcome=state,
                finished_at=timezone.now(),
            )
    arrival = Arrival.of(str(call.pk), {"secretary_hops": "1"})
    back = back_of(arrival, acme.profile())
    assert (back.told.outcome if back is not None else "") == found
    assert back_of(arrival, replace(acme.profile(), secretary_uuid=uuid4())) is None, "another secretary's caller"
