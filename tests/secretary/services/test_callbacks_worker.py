"""Real Celery, Redis, PostgreSQL and the stand-in switch: a callback from its time to the conversation, and a worker
that is killed at the worst moments."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from datetime import time, timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from eslbridge import dialling, jobs
from eslbridge.services import save_credential
from eslbridge.simulator import Extension, Options, StandInSwitch
from secretary.models import Callback
from secretary.services import placing
from secretary.services.callbacks import Consent, cancel_callback, request_callback
from secretary.services.calling_rules import save_calling_rules
from tenants.context import in_thread, tenant_context
from tests.cast import Tenant, make_tenant
from tests.eslbridge.simulator.node import until
from tests.eslbridge.test_jobs_worker import Worker, process, worker

__all__ = ["process", "worker"]
pytestmark = [pytest.mark.django_db(transaction=True)]
DOMAIN = "acme.example"
CUSTOMER = "+5511987650001"
SILENT = "+5511987650002"


@pytest.fixture
async def switch() -> AsyncIterator[StandInSwitch]:
    extensions = [
        Extension("1001", DOMAIN, answer_after_s=0.2),
        Extension("customer", DOMAIN, answer_after_s=0.2),
        Extension("silent", DOMAIN, "no_answer"),
    ]
    async with StandInSwitch(Options(port=0, extensions=extensions)) as switch:
        for number, who in ((CUSTOMER, "customer"), (SILENT, "silent")):
            switch.dialplan.add(DOMAIN, number, [("bridge", f"user/{who}@{DOMAIN}")])
        yield switch


@pytest.fixture
async def acme(switch: StandInSwitch) -> Tenant:
    def make() -> Tenant:
        acme = make_tenant(DOMAIN, language="pt-br")
        save_credential(
            domain_uuid=acme.domain_uuid, port=switch.port, password=switch.options.password, connect_timeout_s=1.0,
            reconnect_delay_s=0.1, max_reconnects=1,
        )  # fmt: skip
        dialling.save_rules(domain_uuid=acme.domain_uuid, external_allowed=True)
        save_calling_rules(domain_uuid=acme.domain_uuid, earliest=time(0), latest=time(23, 59, 59, 999_999))
        return acme

    return await in_thread(make)


def ask(acme: Tenant, number: str) -> UUID:
    return request_callback(
        domain_uuid=acme.domain_uuid, secretary_uuid=acme.secretary.pk, call_uuid=None, number=number, name="Ana",
        reason="", consent=Consent("spoken", "Reception"), not_before=None, not_after=None,
        destination_uuid=acme.sales.pk, spacing_minutes=1,
    )  # fmt: skip


def row_of(acme: Tenant, uuid: UUID) -> Callback:
    with tenant_context(acme.domain_uuid):
        return Callback.objects.get(pk=uuid)


async def becomes(acme: Tenant, uuid: UUID, state: str, worker: Worker, seconds: float = 30) -> Callback:
    try:
        async with asyncio.timeout(seconds):
            while (row := await in_thread(row_of, acme, uuid)).state != state:
                await asyncio.sleep(0.1)
    except TimeoutError:
        pytest.fail(f"{row.state} {row.outcome}; the worker says:\n{worker.log.read_text()[-3000:]}")
    return row


async def test_called_back(worker: Worker, switch: StandInSwitch, acme: Tenant) -> None:
    """The colleague is free, is rung and told who it is about, then the caller; they talk, and the row says so."""
    uuid = await in_thread(ask, acme, CUSTOMER)
    assert await in_thread(placing.place_due) == placing.Placed(placed=1)
    row = await becomes(acme, uuid, "done", worker)
    assert (row.attempts, row.outcome) == (1, "done")
    leg = switch.channels[str(row.job_uuid)]
    assert leg.profile.caller_name.endswith("Ana")
    assert leg.other_leg is not None and leg.other_leg.profile.destination == "customer"
    leg.hang_up()


@pytest.mark.parametrize(("number", "state"), [(SILENT, "failed"), (CUSTOMER, "waiting")])
async def test_worker_killed(number: str, state: str, worker: Worker, switch: StandInSwitch, acme: Tenant) -> None:
    """Killed while the caller's telephone rings: nobody is called twice, and a person is told. Killed while the
    colleague's rings: it is tried again. Either way nothing rings on."""
    if state == "waiting":
        switch.add_extension(Extension("1001", DOMAIN, "no_answer"))
        switch.options.ring_timeout_s = 2
    uuid = await in_thread(ask, acme, number)
    await in_thread(placing.place_due)
    leg = str((await in_thread(row_of, acme, uuid)).job_uuid)
    dialled = number if state == "failed" else "1001"
    await until(lambda: leg in switch.channels and switch.channels[leg].profile.destination == dialled, seconds=20)
    await worker.stop(signal.SIGKILL)
    later = timezone.now() + jobs.STALE_AFTER + timedelta(seconds=1)
    assert (await in_thread(jobs.sweep, later)).given_up == 1
    row = await in_thread(row_of, acme, uuid)
    assert (row.state, row.outcome) == (state, "unknown" if state == "failed" else "failed")
    await in_thread(placing.place_due, timezone.now())
    assert (await in_thread(row_of, acme, uuid)).attempts == 1
    switch.channels[leg].hang_up()
    await until(lambda: not switch.channels)


async def test_taken_back_while_it_rings(worker: Worker, switch: StandInSwitch, acme: Tenant) -> None:
    """Nobody's telephone rings on, and nobody is dialled after it."""
    uuid = await in_thread(ask, acme, SILENT)
    await in_thread(placing.place_due)
    leg = str((await in_thread(row_of, acme, uuid)).job_uuid)
    await until(lambda: leg in switch.channels and switch.channels[leg].profile.destination == SILENT, seconds=20)

    def take_back() -> None:
        with tenant_context(acme.domain_uuid):
            cancel_callback(callback_uuid=uuid)

    await in_thread(take_back)
    await until(lambda: not switch.channels, seconds=10)
    row = await becomes(acme, uuid, "cancelled", worker)
    assert row.attempts == 1
