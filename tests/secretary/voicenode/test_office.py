"""A call's door to the platform: a transfer that nobody waits for any more is taken back."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from eslbridge.models import Job
from eslbridge.tasks import run_job
from secretary.voicenode import office
from secretary.voicenode.live import Live
from secretary.voicenode.office import CallOffice
from tenants.context import in_tenant, in_thread
from tests.cast import Tenant

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_job, "apply_async", lambda arguments: None)


async def job_of(tenant: Tenant) -> Job:
    job: Job = await in_tenant(tenant.domain_uuid, lambda: Job.objects.get())
    return job


async def door(tenant: Tenant) -> CallOffice:
    call = await in_thread(tenant.call)
    return CallOffice(await in_thread(tenant.profile), str(call.call_uuid), Live())


async def test_a_transfer_that_no_worker_does_is_taken_back(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller is told something else: a worker that wakes up later must not put them through in mid-sentence."""
    monkeypatch.setattr(office, "TRANSFER_S", 0.2)
    outcome = await (await door(acme)).transfer(str(acme.sales.destination_uuid))
    assert outcome.word == "failed"
    assert (await job_of(acme)).state == "cancelled"


@pytest.mark.parametrize("after_s", [0.0, 0.3])
async def test_a_caller_who_hangs_up_is_not_put_through(acme: Tenant, after_s: float) -> None:
    """Whether the job was just being written or waited for its worker already."""
    transfer = asyncio.create_task((await door(acme)).transfer(str(acme.sales.destination_uuid)))
    await asyncio.sleep(after_s)
    transfer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await transfer
    job = await job_of(acme)
    assert (job.state, job.reason) == ("cancelled", "the caller hung up")


async def test_another_tenants_destination_is_unknown(acme: Tenant, globex: Tenant) -> None:
    """A provider that names it gets no transfer, and no job is written."""
    outcome = await (await door(acme)).transfer(str(globex.sales.destination_uuid))
    assert outcome.word == "unknown_destination"
    assert await in_tenant(acme.domain_uuid, lambda: Job.objects.count()) == 0
    assert (await (await door(acme)).transfer("everybody")).word == "unknown_destination"


async def test_messages_wait_until_postgresql_takes_them(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be stored is kept, and stored once when it can be."""
    saved: list[UUID] = []
    broken = True

    def save(**about: object) -> None:
        if broken:
            raise OSError("PostgreSQL is away")
        saved.append(about["record"].message_uuid)  # type: ignore[attr-defined]

    monkeypatch.setattr(office, "save_message", save)
    monkeypatch.setattr(office, "SAVE_PAUSE_S", 0.0)
    one = await door(acme)
    assert (await one.save_message(text="call me", audio=None, complete=True)).word == "failed"
    with pytest.raises(OSError, match="away"):
        await one.save_rest()
    broken = False
    await one.save_rest()
    await one.save_rest()
    assert len(saved) == 1
