"""A colleague's leg that the dialplan brings back to a secretary: their calls are forwarded to 8001."""

from __future__ import annotations

from functools import partial
from uuid import UUID, uuid4

import pytest

from eslbridge import jobs
from eslbridge.jobs import JobResult, create_job
from eslbridge.models import JobOutcome
from eslbridge.simulator.caller import Caller, HangUp, WaitSilence
from eslbridge.tasks import run_job
from eslbridge.work.consulting import LEG, LOOPBACK, leg_variables
from secretary.models import Call
from secretary.voicenode import metrics
from tenants.context import in_tenant, in_thread
from tests.cast import Tenant
from tests.secretary.voicenode.conftest import Exchange

pytestmark = [pytest.mark.django_db(transaction=True)]


def test_the_mark_goes_along() -> None:
    """The leg has it, and takes it into the dialplan and to whatever that calls."""
    ids = {"domain_uuid": uuid4(), "call_uuid": uuid4(), "leg_uuid": uuid4()}
    given = leg_variables(**ids, domain_name="a.example", transport="", caller_number="1", caller_name="")
    assert given[LEG] == str(ids["leg_uuid"])
    assert LEG in LOOPBACK["loopback_export"].split(",") and LEG in LOOPBACK["export_vars"].split(",")


async def begun(tenant: Tenant) -> jobs.Job:
    """A worker is calling a colleague."""
    create = partial(create_job, domain_uuid=tenant.domain_uuid, kind="consult", arguments={"number": "1001"})
    job = await in_thread(create, call_uuid=UUID(int=7))
    claimed = await in_thread(jobs.claim, domain_uuid=tenant.domain_uuid, job_uuid=job.job_uuid)
    assert claimed is not None
    return claimed


async def test_no_secretary_talks_to_another(
    exchange: Exchange, acme: Tenant, globex: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the colleague is being called, such a leg ends, with a cause that means unreachable; it takes no slot. Once
    the colleague has taken the call, they may send it to a secretary. Another tenant's job says nothing."""
    monkeypatch.setattr(run_job, "apply_async", lambda *_, **__: None)
    await exchange.install(acme)
    ours, theirs = await begun(acme), await begun(globex)
    before = metrics.REFUSED.labels("consult")._value.get()
    around = exchange.dial(acme, Caller([], patience_ms=None), variables={LEG: str(ours.job_uuid)})
    await exchange.ended(around)
    assert around.hangup_cause == "EXCHANGE_ROUTING_ERROR" and not exchange.providers.sessions
    assert metrics.REFUSED.labels("consult")._value.get() == before + 1
    assert await in_tenant(acme.domain_uuid, lambda: Call.objects.count()) == 0
    await in_thread(jobs.finish, ours, JobResult(JobOutcome.DONE))
    for mark in (str(ours.job_uuid), str(theirs.job_uuid), "nonsense"):
        await exchange.ended(exchange.dial(acme, Caller([WaitSilence(200), HangUp()]), variables={LEG: mark}))
    assert await in_tenant(acme.domain_uuid, lambda: Call.objects.count()) == 3
