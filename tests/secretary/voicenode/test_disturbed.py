"""Putting a caller through while workers, messages, nodes and legs go missing: the caller never waits for ever."""

from __future__ import annotations

import asyncio

import pytest

from eslbridge.control import HungUp
from eslbridge.dialplan import CALLING
from eslbridge.models import JobState
from eslbridge.outcomes import TransferOutcome
from eslbridge.tasks import run_job
from secretary.conversation.consult.machine import Finish
from secretary.voicenode import awaited, putting_through
from tests.cast import Tenant
from tests.secretary.voicenode.putting import announced, is_sent, stage

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test is the worker."""
    monkeypatch.setattr(run_job, "apply_async", lambda arguments: None)


async def test_no_worker_at_all(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller is told something else, and a worker that wakes up later calls nobody."""
    monkeypatch.setattr(putting_through, "CALLING_S", -24.9)
    on = await stage(acme)
    assert (await on.through.to(str(acme.sales.pk), on.caller)).word == "failed"
    assert (await on.jobs())[0].state == JobState.CANCELLED


async def test_the_switch_is_told_what_to_hang_up_should_this_node_die(acme: Tenant) -> None:
    """From before it rings until the two are about to be connected, on the channel that outlives the node."""
    on = await stage(acme)
    transfer = asyncio.create_task(on.through.to(str(acme.sales.pk), on.caller))
    job = await on.until(is_sent)
    assert on.call.did == [("set", CALLING, str(job.job_uuid))]
    leg, _ = await on.leg_arrives(job)
    assert (await transfer).word == "ok"
    assert on.call.did[-2:] == [("set", CALLING, ""), ("bridge", leg.call_uuid)]


async def test_a_job_that_nobody_begins_is_sent_again(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its message was lost: the sweeper would be too late for a caller who waits. Once, and not while it runs."""
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(run_job, "apply_async", sent.append)
    monkeypatch.setattr(awaited, "SEND_AGAIN_S", 0.2)
    on = await stage(acme)
    transfer = asyncio.create_task(on.through.to(str(acme.sales.pk), on.caller))
    job = await on.until(is_sent)
    async with asyncio.timeout(5):
        while len(sent) < 2:
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.5)
    await on.set_job(state=JobState.FAILED, outcome="busy", reason="", sent_at=job.created_at)
    assert (await transfer).word == "busy"
    assert sent == [(str(acme.domain_uuid), str(job.job_uuid))] * 2


async def test_ringing_that_stopped_without_a_word(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker died, and the switch gave up ringing: the caller waits for neither."""
    monkeypatch.setattr(awaited, "ASK_AGAIN_S", 0.05)
    monkeypatch.setattr(awaited, "LEG_GONE_S", 0.2)
    on = await stage(acme)
    transfer = asyncio.create_task(on.through.to(str(acme.sales.pk), on.caller))
    job = await on.until(is_sent)
    await on.set_job(state=JobState.RUNNING, sent_at=job.created_at, attempts=1)
    await asyncio.sleep(0.5)
    on.call.rings = False
    async with asyncio.timeout(3):
        assert (await transfer).word == "no_answer"
    await on.until(lambda jobs: jobs[0].outcome == "no_answer")


async def test_what_an_answered_colleague_decides_is_the_jobs_end(acme: Tenant) -> None:
    """The worker has written it as done when the telephone was answered; they declined all the same."""
    await announced(acme)
    on = await stage(acme, Finish(TransferOutcome.DECLINED, "declined"))
    transfer = asyncio.create_task(on.through.to(str(acme.sales.pk), on.caller))
    job = await on.until(is_sent)
    await on.set_job(state=JobState.DONE, outcome="done", sent_at=job.created_at)
    await on.leg_arrives(job)
    assert (await transfer).word == "declined"
    job = (await on.jobs())[0]
    assert (job.state, job.outcome) == (JobState.FAILED, "declined")


async def test_a_leg_that_never_comes_ends(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answered, says the worker, but nobody came here: the caller is back, and nothing rings on."""
    monkeypatch.setattr(putting_through, "ARRIVES_S", 0.1)
    on = await stage(acme)
    transfer = asyncio.create_task(on.through.to(str(acme.sales.pk), on.caller))
    job = await on.until(is_sent)
    await on.set_job(state=JobState.DONE, outcome="done", sent_at=job.created_at)
    assert (await transfer).word == "failed"


async def test_a_caller_who_hangs_up_as_they_are_connected(acme: Tenant) -> None:
    """The switch had taken the order to connect them: the colleague's leg is not left waiting for nobody."""
    on = await stage(acme)
    on.call.ends = None
    transfer = asyncio.create_task(on.through.to(str(acme.sales.pk), on.caller))
    job = await on.until(is_sent)
    await on.set_job(state=JobState.DONE, outcome="done", sent_at=job.created_at)
    leg, _ = await on.leg_arrives(job)
    async with asyncio.timeout(5):
        while not on.bridged:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0)
    on.call.tell(HungUp("NORMAL_CLEARING"))
    assert (await transfer).word == "caller_gone"
    assert ("hang_up",) in leg.did and (await on.jobs())[0].outcome == "caller_gone"
