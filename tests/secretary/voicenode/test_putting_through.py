"""Putting a caller through: one word for every end, nothing left ringing, and nobody put through who did not accept."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from eslbridge.models import Job, JobKind, JobState
from eslbridge.outcomes import TransferOutcome
from eslbridge.tasks import run_job
from eslbridge.work import consulting
from secretary.conversation.consult.machine import Finish
from secretary.conversation.office import Outcome
from secretary.models import Destination
from secretary.models.destination import TransferMode
from secretary.services.availability import UNKNOWN, Availability, Free
from secretary.services.destinations import create_destination
from secretary.voicenode.putting_through import PuttingThrough, node_address
from tenants.context import in_tenant
from tests.cast import Tenant
from tests.secretary.voicenode.putting import Leg, announced, is_sent, stage

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test is the worker."""
    monkeypatch.setattr(run_job, "apply_async", lambda arguments: None)


async def test_accepted_and_bridged(acme: Tenant) -> None:
    """Music while it rings; bridged only when the colleague has accepted; the job is done and says so."""
    await announced(acme)
    on = await stage(acme, Finish(TransferOutcome.OK))
    transfer = asyncio.create_task(on.through.to(str(acme.sales.pk), on.caller))
    job = await on.until(is_sent)
    assert job.arguments["node_host"] == "10.0.0.5" and not on.bridged
    await on.set_job(state=JobState.RUNNING, sent_at=job.created_at)
    leg, held = await on.leg_arrives(job)
    assert await transfer == Outcome("ok")
    await held
    assert ("bridge", leg.call_uuid) in on.call.did
    assert ("set", "hangup_after_bridge", "true") in on.call.did and ("set", "socket_resume", "false") in leg.did
    assert on.caller.did == ["music", "let go"] and ("hang_up",) not in leg.did
    assert (await on.jobs())[0].state == JobState.DONE and on.consults.waiting == 0


@pytest.mark.parametrize("word", [TransferOutcome.DECLINED, TransferOutcome.NO_ANSWER])
async def test_a_colleague_who_does_not_accept_is_not_bridged(acme: Tenant, word: TransferOutcome) -> None:
    """The caller is back, and the colleague's leg is hung up."""
    await announced(acme)
    on = await stage(acme, Finish(word, "why"))
    transfer = asyncio.create_task(on.through.to(str(acme.sales.pk), on.caller))
    job = await on.until(is_sent)
    await on.set_job(state=JobState.RUNNING, sent_at=job.created_at)
    leg, _ = await on.leg_arrives(job)
    assert await transfer == Outcome(word, "why")
    assert ("hang_up",) in leg.did and not on.bridged and on.colleague.closed
    assert (await on.jobs())[0].outcome == word


async def test_blind_bridges_at_once(acme: Tenant) -> None:
    """The colleague picks up and has the caller."""
    on = await stage(acme, Finish(TransferOutcome.DECLINED, "never asked"))
    transfer = asyncio.create_task(on.through.to(str(acme.sales.pk), on.caller))
    job = await on.until(is_sent)
    leg, _ = await on.leg_arrives(job)
    assert (await transfer).word == "ok" and ("bridge", leg.call_uuid) in on.call.did


@pytest.mark.parametrize("word", ["busy", "no_answer", "unregistered", "unreachable", "declined", "not_allowed"])
async def test_what_the_worker_says_is_the_outcome(acme: Tenant, word: str) -> None:
    """A telephone that does not answer, in one word."""
    on = await stage(acme)
    transfer = asyncio.create_task(on.through.to(str(acme.sales.pk), on.caller))
    job = await on.until(is_sent)
    await on.set_job(state=JobState.FAILED, outcome=word, reason="CAUSE", sent_at=job.created_at)
    assert await transfer == Outcome(word, "CAUSE")


@pytest.mark.parametrize("answered", [False, True])
async def test_a_caller_who_hangs_up_takes_everything_back(acme: Tenant, answered: bool) -> None:
    """While it rings, or while the colleague listens: no phone goes on ringing, no colleague hears silence."""
    await announced(acme)
    on = await stage(acme)
    transfer = asyncio.create_task(on.through.to(str(acme.sales.pk), on.caller))
    job = await on.until(is_sent)
    await on.set_job(state=JobState.RUNNING, sent_at=job.created_at, attempts=1)
    leg = None
    if answered:
        leg, _ = await on.leg_arrives(job)
        await asyncio.sleep(0.3)
    transfer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await transfer
    if leg is not None:
        async with asyncio.timeout(3):
            while ("hang_up",) not in leg.did:
                await asyncio.sleep(0.01)
        assert on.colleague.told
    else:
        hangup = await on.until(lambda jobs: len(jobs) == 2)
        assert (hangup.kind, hangup.arguments["job_uuid"]) == (JobKind.HANGUP, str(job.job_uuid))
    await on.until(lambda jobs: jobs[0].state in (JobState.FAILED, JobState.CANCELLED))


async def test_who_stands_in_is_tried_next(acme: Tenant) -> None:
    """Busy: the destination's fallback gets the call, and the record says what was tried."""
    second = await in_tenant(
        acme.domain_uuid, lambda: create_destination(name="Office", number="1005", kind="extension")
    )
    await announced(acme, transfer_mode=TransferMode.BLIND, fallback_id=second.pk)
    on = await stage(acme)
    transfer = asyncio.create_task(on.through.to(str(acme.sales.pk), on.caller))
    first = await on.until(is_sent)
    await on.set_job(state=JobState.FAILED, outcome="busy", reason="USER_BUSY", sent_at=first.created_at)
    job = await on.until(lambda jobs: len(jobs) == 2)
    await on.leg_arrives(job)
    assert (await transfer).word == "ok" and job.arguments["number"] == "1005"
    assert on.notes == [("transfer_tried", {"name": "Sales", "outcome": "busy", "detail": "USER_BUSY"})]


async def test_the_word_is_that_of_whom_the_caller_asked_for(acme: Tenant) -> None:
    """Busy, and who stands in does not answer: busy is what the caller hears, and the record has both."""
    second = await in_tenant(
        acme.domain_uuid, lambda: create_destination(name="Office", number="1005", kind="extension")
    )
    await announced(acme, fallback_id=second.pk)
    on = await stage(acme)
    transfer = asyncio.create_task(on.through.to(str(acme.sales.pk), on.caller))
    for tried, word in ((1, "busy"), (2, "no_answer")):
        job = await on.until(lambda jobs, tried=tried: len(jobs) == tried)
        ended = {"state": JobState.FAILED, "outcome": word, "reason": "", "sent_at": job.created_at}
        await in_tenant(acme.domain_uuid, lambda job=job, ended=ended: Job.objects.filter(pk=job.pk).update(**ended))
    assert await transfer == Outcome("busy", "Office in their stead: no_answer")
    assert [note["outcome"] for _, note in on.notes] == ["busy", "no_answer"]


async def test_a_refusal_is_one_word(acme: Tenant) -> None:
    """Whatever the policy's reason is, the caller hears that it is not possible; the record says why."""
    await in_tenant(acme.domain_uuid, lambda: Destination.objects.filter(pk=acme.sales.pk).update(number="911"))
    on = await stage(acme)
    assert await on.through.to(str(acme.sales.pk), on.caller) == Outcome("not_allowed", "emergency")
    assert await on.jobs() == []


async def test_a_circle_of_stand_ins_ends(acme: Tenant) -> None:
    """Even if the rows said so, nobody is tried twice."""

    def circle() -> None:
        second = create_destination(name="Office", number="1005", kind="extension")
        Destination.objects.filter(pk=acme.sales.pk).update(fallback=second)
        Destination.objects.filter(pk=second.pk).update(fallback=acme.sales)

    await in_tenant(acme.domain_uuid, circle)
    on = await stage(acme)
    transfer = asyncio.create_task(on.through.to(str(acme.sales.pk), on.caller))
    for tried in (1, 2):
        job = await on.until(lambda jobs, tried=tried: len(jobs) == tried)
        await on.set_job(state=JobState.FAILED, outcome="no_answer", reason="", sent_at=job.created_at)
    assert (await transfer).word == "no_answer" and len(await on.jobs()) == 2


async def test_nobody_rings_who_is_known_to_be_away(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do-not-disturb is an outcome of its own; what is unknown rings."""

    async def asked(self: object, plan: object) -> Availability:
        return Availability(Free.DND)

    monkeypatch.setattr(PuttingThrough, "_availability", asked)
    on = await stage(acme)
    assert (await on.through.to(str(acme.sales.pk), on.caller)).word == "dnd"
    assert await on.jobs() == [] and not UNKNOWN.blocks


async def test_another_tenants_destination_is_unknown(acme: Tenant, globex: Tenant) -> None:
    """A provider that names it gets no transfer, and no job is written."""
    on = await stage(acme)
    assert (await on.through.to(str(globex.sales.pk), on.caller)).word == "unknown_destination"
    assert (await on.through.to("everybody", on.caller)).word == "unknown_destination"
    assert await on.jobs() == []


@pytest.mark.parametrize("wrong", ["token", "domain", "uuid", "twice"])
async def test_a_leg_that_is_not_expected_is_turned_away(acme: Tenant, globex: Tenant, wrong: str) -> None:
    """A forged token, another domain's channel, an unknown leg, the same leg again: nobody's colleague."""
    on = await stage(acme)
    leg_uuid = uuid4()
    with on.consults.expect(
        domain_uuid=acme.domain_uuid, call_uuid=UUID(on.call.call_uuid), leg_uuid=leg_uuid
    ) as expected:
        good = consulting.token_of(domain_uuid=acme.domain_uuid, call_uuid=on.call.call_uuid, leg_uuid=leg_uuid)
        token = "0" * 64 if wrong == "token" else good
        domain = globex.domain_uuid if wrong == "domain" else acme.domain_uuid
        if wrong == "twice":
            expected.arrived.set_result(Leg(str(leg_uuid)))  # type: ignore[arg-type]
        name = str(uuid4()) if wrong == "uuid" else str(leg_uuid)
        leg = Leg(name, {"domain_uuid": str(domain), consulting.TOKEN: token})
        await on.consults.receive(leg)  # type: ignore[arg-type]
        assert leg.did == [("hang_up",)]


def test_the_node_is_where_the_switch_found_it(settings: Any) -> None:
    """Of several nodes in the dialplan the one that was taken; with nothing known, the node's own setting."""
    data = {"socket_host": "10.0.0.6", "current_application_data": "10.0.0.5:8022|10.0.0.6:9022 async full"}
    assert node_address(data) == ("10.0.0.6", 9022)
    assert node_address({})[1] == settings.VOICENODE_ESL_BIND.port
