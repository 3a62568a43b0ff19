"""A job's life in the database: born with its cause, run once, looked after by the sweeper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from eslbridge import jobs
from eslbridge.jobs import JobResult, Swept
from eslbridge.models import Job
from eslbridge.tasks import run_job
from tenants.context import tenant_context
from tests.cast import Tenant, make_tenant

DONE = JobResult("done")


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """What is handed to Celery instead of a broker: pairs of domain and job."""
    messages: list[tuple[str, str]] = []
    monkeypatch.setattr(run_job, "apply_async", lambda arguments: messages.append(arguments))
    yield messages


def new(tenant: Tenant, kind: str = "transfer", **about: Any) -> Job:
    return jobs.create_job(domain_uuid=tenant.domain_uuid, kind=kind, arguments={"number": "1001"}, **about)


def row(job: Job) -> Job:
    with tenant_context(job.domain_uuid):
        return Job.objects.get(job_uuid=job.job_uuid)


def change(job: Job, **values: Any) -> None:
    with tenant_context(job.domain_uuid):
        Job.objects.filter(job_uuid=job.job_uuid).update(**values)


def claim(job: Job) -> Job | None:
    return jobs.claim(domain_uuid=job.domain_uuid, job_uuid=job.job_uuid)


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def test_sent_when_the_cause_is_committed(
    acme: Tenant, sent: list[Any], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    """The message leaves after the commit, not before; it holds two ids and nothing else."""
    with django_capture_on_commit_callbacks(execute=True):
        job = new(acme)
        assert sent == []
    assert sent == [(str(acme.domain_uuid), str(job.job_uuid))]


@pytest.mark.django_db(transaction=True)
def test_rolled_back_with_its_cause(sent: list[Any]) -> None:
    """When the cause fails there is neither row nor message."""
    acme = make_tenant("acme.example")
    with pytest.raises(RuntimeError), tenant_context(acme.domain_uuid):
        job = new(acme)
        raise RuntimeError
    assert sent == []
    assert jobs.status(domain_uuid=acme.domain_uuid, job_uuid=job.job_uuid) is None


def test_asked_twice_is_one_job(
    acme: Tenant, globex: Tenant, sent: list[Any], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    """The same job_uuid gives the same job, sent once; in another tenant it is refused, not shared."""
    job_uuid = uuid4()
    with django_capture_on_commit_callbacks(execute=True):
        assert new(acme, job_uuid=job_uuid) == new(acme, job_uuid=job_uuid)
    assert len(sent) == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        new(globex, job_uuid=job_uuid)


def test_unreachable_broker_costs_nothing(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    """The row stays queued and the request goes on; the first sweep after the broker is back sends it, at once."""

    def broken(arguments: object) -> None:
        raise ConnectionError("redis is gone")

    monkeypatch.setattr(run_job, "apply_async", broken)
    with django_capture_on_commit_callbacks(execute=True):
        job = new(acme)
    assert row(job).state == "queued"
    assert jobs.sweep(timezone.now() + timedelta(seconds=16)) == Swept(sent_again=0)
    with django_capture_on_commit_callbacks(execute=True):
        later = new(acme)
    monkeypatch.setattr(run_job, "apply_async", lambda arguments: None)
    assert jobs.sweep(timezone.now()) == Swept(sent_again=1)
    assert row(later).state == "queued"


def test_claimed_once(acme: Tenant) -> None:
    """The second delivery of a message finds nothing to do."""
    job = new(acme)
    first = claim(job)
    assert first is not None and first.state == "running" and first.attempts == 1
    assert claim(job) is None


@pytest.mark.django_db(transaction=True)
def test_ten_workers_one_claim() -> None:
    """Of ten workers that get the same message at once, one has the job."""
    job = new(make_tenant("acme.example"))
    barrier, claimed = Barrier(10), []

    def work() -> None:
        barrier.wait()
        try:
            claimed.append(claim(job) is not None)
        finally:
            connections.close_all()

    threads = [Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == [False] * 9 + [True]


def test_nobody_elses_job(acme: Tenant, globex: Tenant) -> None:
    """A message that names the wrong tenant, or a job that is none, does nothing."""
    job = new(acme)
    assert jobs.claim(domain_uuid=globex.domain_uuid, job_uuid=job.job_uuid) is None
    assert jobs.claim(domain_uuid=uuid4(), job_uuid=job.job_uuid) is None
    assert jobs.status(domain_uuid=globex.domain_uuid, job_uuid=job.job_uuid) is None
    assert not jobs.cancel(domain_uuid=globex.domain_uuid, job_uuid=job.job_uuid)
    assert row(job).state == "queued"


def test_not_before_its_time(acme: Tenant, sent: list[Any]) -> None:
    """A job for later is neither sent nor claimed now; the sweeper sends it when it is due."""
    later = timezone.now() + timedelta(hours=1)
    job = new(acme, kind="originate", run_after=later)
    assert claim(job) is None
    assert jobs.sweep() == Swept()
    assert jobs.sweep(later + timedelta(seconds=1)) == Swept(sent_again=1)
    assert sent == [(str(acme.domain_uuid), str(job.job_uuid))]


@pytest.mark.parametrize(
    ("result", "state"),
    [(DONE, "done"), (JobResult("caller_gone", "why"), "failed"), (JobResult("not_allowed"), "failed")],
)
def test_finished_once(acme: Tenant, result: JobResult, state: str) -> None:
    """The first word about a job's end stays; whoever waits for it reads outcome and reason."""
    job = claim(new(acme))
    assert job is not None
    assert jobs.finish(job, result)
    assert not jobs.finish(job, JobResult("failed", "another word"))
    status = jobs.status(domain_uuid=acme.domain_uuid, job_uuid=job.job_uuid)
    assert status is not None and status.is_final
    assert (status.state, status.outcome, status.reason) == (state, result.outcome, result.reason)


def test_reason_may_be_anything(acme: Tenant) -> None:
    """A reply of the switch with a NUL, or of any length, is cut, not fatal."""
    job = claim(new(acme))
    assert job is not None
    assert jobs.finish(job, JobResult("failed", "\0" + "x" * 10_000))
    assert row(job).reason == "x" * jobs.MAX_REASON


@pytest.mark.parametrize("claimed", [False, True])
def test_cancelled_before_it_is_sent(acme: Tenant, claimed: bool) -> None:
    """A caller who hangs up takes the job back: whoever has it may not send, nor write another end."""
    job = new(acme)
    mine = claim(job) if claimed else job
    assert mine is not None
    assert jobs.cancel(domain_uuid=acme.domain_uuid, job_uuid=job.job_uuid, reason="the caller hung up")
    assert claim(job) is None
    assert not jobs.mark_sent(mine)
    assert not jobs.finish(mine, DONE)
    assert row(job).state == "cancelled"


def test_too_late_to_cancel(acme: Tenant) -> None:
    """Once the command has gone out, the job ends with what the switch says."""
    job = claim(new(acme))
    assert job is not None and jobs.mark_sent(job)
    assert not jobs.mark_sent(job)
    assert not jobs.cancel(domain_uuid=acme.domain_uuid, job_uuid=job.job_uuid)
    assert jobs.finish(job, DONE)


def test_expired_is_neither_claimed_nor_sent(acme: Tenant) -> None:
    """A caller who has been told something else by now is not torn away by a late transfer."""
    waiting, running = new(acme), claim(new(acme))
    assert running is not None
    for job in (waiting, running):
        change(job, expires_at=ago(1))
    assert claim(waiting) is None
    assert not jobs.mark_sent(running)
    assert jobs.sweep() == Swept(expired=1)
    assert (row(waiting).state, row(waiting).outcome) == ("failed", "failed")


def test_lost_message_is_sent_again_once_a_while(acme: Tenant, globex: Tenant, sent: list[Any]) -> None:
    """The sweeper sends what was not claimed within 15 s, in all tenants, and not at every sweep."""
    lost = [new(acme, kind="hangup"), new(globex, kind="hangup")]
    assert jobs.sweep() == Swept()
    moment = timezone.now() + timedelta(seconds=16)
    assert jobs.sweep(moment) == Swept(sent_again=2)
    assert {job for _, job in sent} == {str(job.job_uuid) for job in lost}
    assert jobs.sweep(moment) == Swept()
    assert jobs.sweep(moment + timedelta(seconds=16)) == Swept(sent_again=2)


def test_worker_died_before_sending(acme: Tenant, sent: list[Any]) -> None:
    """Nothing had gone out: the job runs again, and the dead worker's ghost can neither send nor finish."""
    ghost = claim(new(acme, kind="hangup"))
    assert ghost is not None
    change(ghost, claimed_at=ago(151))
    assert jobs.sweep() == Swept(requeued=1, sent_again=1)
    again = claim(ghost)
    assert again is not None and again.attempts == 2
    assert not jobs.mark_sent(ghost)
    assert not jobs.finish(ghost, DONE)
    assert jobs.mark_sent(again) and jobs.finish(again, DONE)


def test_worker_died_after_sending(acme: Tenant, sent: list[Any]) -> None:
    """A second transfer could tear the caller from whoever picked up: the job ends, and is not sent again."""
    job = claim(new(acme))
    assert job is not None and jobs.mark_sent(job)
    change(job, claimed_at=ago(151))
    assert jobs.sweep() == Swept(given_up=1)
    assert (row(job).state, row(job).outcome) == ("failed", "failed")
    assert sent == []


def test_three_attempts_are_enough(acme: Tenant) -> None:
    """A job that kills its worker each time is given up."""
    job = claim(new(acme, kind="hangup"))
    assert job is not None
    change(job, claimed_at=ago(151), attempts=jobs.MAX_ATTEMPTS)
    assert jobs.sweep() == Swept(given_up=1)


def test_sweeper_leaves_the_living_alone(acme: Tenant) -> None:
    """Jobs that run, and jobs that ended long ago, are none of its business."""
    running, ended = claim(new(acme)), claim(new(acme))
    assert running is not None and ended is not None
    jobs.finish(ended, DONE)
    change(ended, claimed_at=ago(9999), run_after=ago(9999))
    assert jobs.sweep() == Swept()


@pytest.mark.parametrize(
    "values",
    [
        {"state": "done", "outcome": ""},
        {"state": "done", "outcome": "failed"},
        {"state": "failed", "outcome": "done"},
        {"state": "queued", "outcome": "done"},
        {"state": "lost"},
        {"kind": "explode"},
    ],
)
def test_table_refuses_states_that_cannot_be(acme: Tenant, values: dict[str, str]) -> None:
    """State and outcome go together, whoever writes them."""
    job = new(acme)
    with pytest.raises(IntegrityError), transaction.atomic():
        change(job, **values)


def test_real_broker_gets_the_id_in_the_esl_queue(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Celery puts the message into Redis, where a worker of the queue `esl` finds it."""
    from kombu import Connection

    from secretary.config.celery import app

    monkeypatch.undo()
    job = new(acme)
    with Connection(app.conf.broker_url) as broker:
        queue = broker.SimpleQueue("esl")
        queue.clear()
        assert jobs.enqueue(acme.domain_uuid, job.job_uuid)
        message = queue.get(timeout=5)
        message.ack()
        assert message.headers["task"] == "eslbridge.run_job"
        arguments, _, _ = message.payload
        assert [UUID(argument) for argument in arguments] == [acme.domain_uuid, job.job_uuid]
        queue.close()


def test_time_runs_anew_from_the_second_number(acme: Tenant) -> None:
    """A callback whose colleague was told at length is no dead worker's as long as the customer's telephone rings."""
    job = new(acme, "originate")
    claimed = jobs.claim(domain_uuid=acme.domain_uuid, job_uuid=job.pk)
    assert claimed is not None and jobs.mark_sent(claimed) and jobs.mark_dialled(claimed)
    now = timezone.now()
    change(job, claimed_at=now - 2 * jobs.STALE_AFTER, dialled_at=now - timedelta(seconds=60))
    assert jobs.sweep(now).given_up == 0
    assert jobs.sweep(now + jobs.STALE_AFTER).given_up == 1
