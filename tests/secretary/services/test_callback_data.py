"""A caller's callbacks: kept as long as messages, given out with the rest, and erased with it."""

from __future__ import annotations

import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from eslbridge import jobs
from eslbridge.jobs import JobResult
from eslbridge.models import DialAttempt, Job
from secretary.models import Callback, CallbackAttempt
from secretary.services import caller_erasure, caller_export, placing
from secretary.services.retention import forget_old_data
from secretary.webhooks.models import WebhookEvent
from tenants.context import tenant_context
from tenants.quotas import set_rules
from tests.cast import Tenant
from tests.secretary.services.test_callbacks import acme, ask, globex, no_broker, row_of

__all__ = ["acme", "globex", "no_broker"]
AS_SHOWN = "011987650001"
"""Another way in which a switch shows the same number."""


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, settings: Any) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def called_back(tenant: Tenant) -> None:
    """A callback that is over, with its attempt, job, dial and events."""
    uuid = ask(tenant)
    placing.place_now(domain_uuid=tenant.domain_uuid, callback_uuid=uuid, asked_by="alice")
    job = jobs.claim(domain_uuid=tenant.domain_uuid, job_uuid=row_of(tenant, uuid).job_uuid or uuid4())
    assert job is not None and jobs.mark_sent(job) and jobs.mark_dialled(job)
    jobs.finish(job, JobResult("done"))


def left(tenant: Tenant) -> tuple[int, ...]:
    with tenant_context(tenant.domain_uuid):
        models = (Callback, CallbackAttempt, Job, DialAttempt)
        return (*(model.objects.count() for model in models), WebhookEvent.objects.count())


def test_given_out_and_erased(acme: Tenant, globex: Tenant, data_dir: Path) -> None:
    """However the number is written; what is ringing stays and is counted; another tenant's stays as it is."""
    for tenant in (acme, globex):
        called_back(tenant)
    ringing = ask(acme, name="Again")
    placing.place_now(domain_uuid=acme.domain_uuid, callback_uuid=ringing, asked_by="alice")
    other = ask(acme, number="+5511987650009")
    before = left(globex)
    counts, path = caller_export.export(domain_uuid=acme.domain_uuid, request_uuid=uuid4(), number=AS_SHOWN)
    assert counts["callbacks"] == 2
    with zipfile.ZipFile(data_dir / path) as archive:
        told = [json.loads(archive.read(name)) for name in archive.namelist() if name.startswith("callbacks/")]
    assert {one["name"] for one in told} == {"Ana", "Again"}
    assert told[0]["consent_how"] == "spoken" and told[0]["history"]
    gone, _ = caller_erasure.erase(domain_uuid=acme.domain_uuid, request_uuid=uuid4(), number=AS_SHOWN)
    assert (gone["callbacks"], gone["jobs"], gone["calls_going_on"]) == (1, 1, 1)
    with tenant_context(acme.domain_uuid):
        assert set(Callback.objects.values_list("pk", flat=True)) == {ringing, other}
        assert not DialAttempt.objects.filter(number__endswith="87650001").exists()
        events = WebhookEvent.objects.values_list("payload__callback_uuid", flat=True)
        assert set(events) == {str(ringing), str(other)}
    assert left(globex) == before


def test_kept_as_long_as_messages(acme: Tenant, globex: Tenant) -> None:
    """What is over for longer than the rules say is gone, with its attempts; what waits stays."""
    called_back(acme)
    called_back(globex)
    waiting = ask(acme)
    set_rules(domain_uuid=acme.domain_uuid, messages_days=30, events_days=30)
    assert forget_old_data(timezone.now() + timedelta(days=29))["messages"] == 0
    assert forget_old_data(timezone.now() + timedelta(days=31))["messages"] == 1
    with tenant_context(acme.domain_uuid):
        assert list(Callback.objects.values_list("pk", flat=True)) == [waiting]
        assert not CallbackAttempt.objects.exists() and not Job.objects.exists()
    assert left(globex)[0] == 1
