"""Real Celery, real Redis, real PostgreSQL, and the stand-in switch: a job from its row to the wire and back."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from eslbridge import jobs
from eslbridge.jobs import JobStatus
from eslbridge.models import Job, JobKind
from eslbridge.services import save_credential
from eslbridge.simulator import Caller, Extension, Options, StandInSwitch
from eslbridge.simulator.channel import Channel
from secretary.services.transfers import request_transfer
from tenants.context import in_thread, tenant_context
from tests.cast import Tenant, make_tenant
from tests.eslbridge.simulator.node import until
from tests.worker import Worker

pytestmark = [pytest.mark.django_db(transaction=True)]
DOMAIN = "acme.example"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """One worker for all; it takes several seconds to come up."""
    worker = Worker(tmp_path_factory.mktemp("worker") / "worker.log")
    yield worker
    asyncio.run(worker.stop())


@pytest.fixture
def worker(process: Worker, transactional_db: None) -> Worker:
    if process.process is None or process.process.poll() is not None:
        process.start()
    return process


@pytest.fixture
def switch_options() -> Iterator[Options]:
    yield Options(port=0, extensions=[Extension("1001", DOMAIN)])


@pytest.fixture
async def switch(switch_options: Options) -> AsyncIterator[StandInSwitch]:
    async with StandInSwitch(switch_options) as switch:
        switch.dialplan.add(DOMAIN, "8001", [("answer", ""), ("park", "")])
        yield switch


async def tenant_on(switch: StandInSwitch) -> Tenant:
    acme = await in_thread(make_tenant, DOMAIN)
    await in_thread(
        save_credential,
        domain_uuid=acme.domain_uuid,
        port=switch.port,
        password=switch.options.password,
        connect_timeout_s=1.0,
        reconnect_delay_s=0.1,
        max_reconnects=1,
    )
    return acme


async def call_in(switch: StandInSwitch, acme: Tenant) -> Channel:
    """A caller at acme's 8001, whom the platform has on record."""
    channel = switch.place_call(DOMAIN, "8001", Caller(patience_ms=None))
    await in_thread(acme.call, UUID(channel.uuid))
    return channel


async def transfer(acme: Tenant, channel: Channel) -> UUID:
    return await in_thread(
        request_transfer,
        domain_uuid=acme.domain_uuid,
        call_uuid=UUID(channel.uuid),
        destination_uuid=acme.sales.destination_uuid,
    )


async def end_of(acme: Tenant, job_uuid: UUID, worker: Worker, seconds: float = 30) -> JobStatus:
    try:
        async with asyncio.timeout(seconds):
            while True:
                status = await in_thread(jobs.status, domain_uuid=acme.domain_uuid, job_uuid=job_uuid)
                if status is not None and status.is_final:
                    return status
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"the job did not end; the worker says:\n{worker.log.read_text()[-3000:]}")


async def test_caller_is_put_through(worker: Worker, switch: StandInSwitch) -> None:
    """From the row to the colleague's telephone; a second message about the same job does nothing."""
    acme = await tenant_on(switch)
    channel = await call_in(switch, acme)
    job_uuid = await transfer(acme, channel)
    status = await end_of(acme, job_uuid, worker)
    assert (status.state, status.outcome, status.reason) == ("done", "done", "")
    await until(lambda: channel.other_leg is not None)
    assert channel.other_leg is not None and channel.other_leg.profile.destination == "1001"
    assert channel.variable("hangup_after_bridge") == "true"
    steps = len(channel.history)
    await in_thread(jobs.enqueue, acme.domain_uuid, job_uuid)
    await until(lambda: "not_claimed" in worker.log.read_text())
    assert len(channel.history) == steps


async def test_typed_ends(worker: Worker, switch: StandInSwitch) -> None:
    """A caller who is gone, a wrong password, a switch that is away: each is one word, soon."""
    acme = await tenant_on(switch)
    gone = await call_in(switch, acme)
    gone.hang_up()
    await asyncio.wait_for(gone.ended.wait(), 5)
    assert (await end_of(acme, await transfer(acme, gone), worker)).outcome == "caller_gone"

    channel = await call_in(switch, acme)
    for change in ({"password": "wrong"}, {"password": "ClueCon", "port": 1}):
        await in_thread(save_credential, domain_uuid=acme.domain_uuid, **change)  # type: ignore[arg-type]
        assert (await end_of(acme, await transfer(acme, channel), worker)).outcome == "unreachable"
    assert not channel.is_down and channel.other_leg is None
    text = worker.log.read_text()
    assert "ClueCon" not in text and "wrong" not in text.replace("wrong password", "")


async def test_hang_up(worker: Worker, switch: StandInSwitch) -> None:
    """A call is ended by job."""
    acme = await tenant_on(switch)
    channel = await call_in(switch, acme)
    job = await in_thread(
        jobs.create_job,
        domain_uuid=acme.domain_uuid,
        kind=JobKind.HANGUP,
        call_uuid=UUID(channel.uuid),
        arguments={"cause": "USER_BUSY"},
    )
    assert (await end_of(acme, job.job_uuid, worker)).state == "done"
    await asyncio.wait_for(channel.ended.wait(), 5)
    assert channel.hangup_cause == "USER_BUSY"


async def test_worker_killed_in_the_middle(worker: Worker, switch: StandInSwitch) -> None:
    """Killed while the switch keeps it waiting: the sweeper ends the row, and the next worker sends nothing again."""
    acme = await tenant_on(switch)
    channel = await call_in(switch, acme)
    switch.options.bgapi_delay_s = 60
    job_uuid = await transfer(acme, channel)
    async with asyncio.timeout(20):
        while not await in_thread(_was_sent, acme, job_uuid):
            await asyncio.sleep(0.05)
    await worker.stop(signal.SIGKILL)
    status = await in_thread(jobs.status, domain_uuid=acme.domain_uuid, job_uuid=job_uuid)
    assert status is not None and status.state == "running"
    swept = await in_thread(jobs.sweep, timezone.now() + jobs.STALE_AFTER + timedelta(seconds=1))
    assert (swept.given_up, swept.requeued) == (1, 0)
    status = await in_thread(jobs.status, domain_uuid=acme.domain_uuid, job_uuid=job_uuid)
    assert status is not None and (status.state, status.outcome) == ("failed", "failed")


async def test_message_lost_by_the_broker(
    worker: Worker, switch: StandInSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing reached Redis: the sweeper sends it, and the caller is put through after all."""
    acme = await tenant_on(switch)
    channel = await call_in(switch, acme)
    with monkeypatch.context() as broken:
        broken.setattr(jobs, "enqueue", lambda *ids: False)
        job_uuid = await transfer(acme, channel)
    swept = await in_thread(jobs.sweep, timezone.now() + jobs.RESEND_AFTER)
    assert swept.sent_again == 1
    assert (await end_of(acme, job_uuid, worker)).state == "done"


def _was_sent(acme: Tenant, job_uuid: UUID) -> bool:
    with tenant_context(acme.domain_uuid):
        return Job.objects.filter(job_uuid=job_uuid, sent_at__isnull=False).exists()
