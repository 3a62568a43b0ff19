"""Callbacks: what is taken, when it is placed, that it is placed once, and how it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from eslbridge import dialling, jobs
from eslbridge.jobs import JobResult
from eslbridge.models import Job, JobOutcome
from eslbridge.tasks import run_job
from secretary.errors import CallbackRefused
from secretary.models import Callback, CallbackAttempt, CallbackState, Destination, Message
from secretary.services import placing
from secretary.services.availability import Availability, Free
from secretary.services.callback_times import next_moment
from secretary.services.callbacks import (
    Consent,
    cancel_callback,
    change_callback,
    finish_callback,
    request_callback,
)
from secretary.services.calling_rules import calling_rules_of, save_calling_rules
from secretary.webhooks.models import WebhookEvent
from secretary.webhooks.services import create_webhook
from secretary.webhooks.tasks import deliver
from tenants.context import tenant_context
from tenants.models import AuditEvent
from tests.cast import Tenant, make_tenant

CUSTOMER = "+5511987650001"
SPOKEN = Consent("spoken", "Reception")


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    for task in (run_job, deliver):
        monkeypatch.setattr(task, "apply_async", lambda arguments: None)


def open_for_calls(tenant: Tenant) -> Tenant:
    """It may dial outside, at every hour, and has a webhook."""
    dialling.save_rules(domain_uuid=tenant.domain_uuid, external_allowed=True)
    save_calling_rules(domain_uuid=tenant.domain_uuid, earliest=time(0), latest=time(23, 59, 59, 999_999))
    with tenant_context(tenant.domain_uuid):
        create_webhook(url="https://crm.example.com/hook", events=["*"])
    return tenant


@pytest.fixture
def acme(db: None) -> Tenant:
    return open_for_calls(make_tenant("acme.example", language="pt-br"))


@pytest.fixture
def globex(db: None) -> Tenant:
    return open_for_calls(make_tenant("globex.example", language="pt-br"))


def free(**_: object) -> Availability:
    return Availability(Free.FREE)


def ask(tenant: Tenant, **about: Any) -> UUID:
    values: dict[str, Any] = {
        "domain_uuid": tenant.domain_uuid, "secretary_uuid": tenant.secretary.pk, "call_uuid": None,
        "number": CUSTOMER, "name": "Ana", "reason": "Her invoice", "consent": SPOKEN, "not_before": None,
        "not_after": None, "destination_uuid": tenant.sales.pk,
    }  # fmt: skip
    return request_callback(**(values | about))


def row_of(tenant: Tenant, uuid: UUID) -> Callback:
    with tenant_context(tenant.domain_uuid):
        return Callback.objects.get(pk=uuid)


def told(tenant: Tenant) -> list[str]:
    with tenant_context(tenant.domain_uuid):
        kinds = WebhookEvent.objects.filter(type__startswith="callback.").order_by("occurred_at", "created_at")
        return [kind.removeprefix("callback.") for kind in kinds.values_list("type", flat=True)]


def due(**about: Any) -> placing.Placed:
    return placing.place_due(timezone.now() + timedelta(seconds=1), **({"ask_free": free} | about))


def end(tenant: Tenant, uuid: UUID, outcome: str, *, dialled: bool = True, **detail: str) -> Callback:
    """Run the callback's job as a worker would, to this end."""
    job_uuid = row_of(tenant, uuid).job_uuid
    assert job_uuid is not None
    job = jobs.claim(domain_uuid=tenant.domain_uuid, job_uuid=job_uuid)
    assert job is not None and jobs.mark_sent(job)
    assert not dialled or jobs.mark_dialled(job)
    assert jobs.finish(job, JobResult(outcome, "", detail))
    return row_of(tenant, uuid)


# --- taking it -----------------------------------------------------------------------------------------------------


def test_wish_is_kept(acme: Tenant) -> None:
    """With who agreed, when and how; webhooks and the record hear of it, and a card number is not kept."""
    uuid = ask(acme, reason="My card 4111 1111 1111 1111", number="+55 (11) 98765-0001")
    row = row_of(acme, uuid)
    assert (row.number, row.state, row.consent_how, row.consent_by) == (CUSTOMER, "waiting", "spoken", "Reception")
    assert row.consent_at is not None and "4111" not in row.reason
    assert row.not_after - row.not_before == timedelta(hours=72) and row.next_attempt_at == row.not_before
    assert told(acme) == ["requested"]
    with tenant_context(acme.domain_uuid):
        assert AuditEvent.objects.filter(action="callback.created", object_id=str(uuid)).exists()
    again = ask(acme, callback_uuid=uuid, reason="something else")
    assert again == uuid and row_of(acme, uuid).reason == row.reason


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        ({"consent": None}, "no_consent"),
        ({"consent": Consent("guessed")}, "no_consent"),
        ({"number": "190"}, "emergency"),
        ({"number": "8001"}, "secretary_loop"),
        ({"number": "+881612345678"}, "satellite"),
        ({"number": "x"}, "malformed"),
        ({"number": "**1001"}, "malformed"),
        ({"number": "*67911"}, "malformed"),
        ({"number": "1001\r\n\r\nbgapi system"}, "ok"),
        ({"destination_uuid": uuid4()}, "unknown_destination"),
        ({"secretary_uuid": uuid4()}, "unknown_secretary"),
        ({"call_uuid": uuid4()}, "unknown_call"),
        ({"not_after": datetime(2020, 1, 1, tzinfo=UTC)}, "too_late"),
    ],
)
def test_refused(about: dict[str, Any], reason: str, acme: Tenant) -> None:
    """Nobody is promised a call that will not be made; nothing is kept of it."""
    if reason == "ok":  # what is no number is taken out of it: never a line of its own
        assert row_of(acme, ask(acme, **about)).number == "1001"
        return
    with pytest.raises(CallbackRefused) as refused:
        ask(acme, **about)
    assert refused.value.reason == reason
    with tenant_context(acme.domain_uuid):
        assert not Callback.objects.exists()


def test_somebody_must_ring(acme: Tenant) -> None:
    """A mailbox or queue calls nobody back; a wish for nobody in particular waits for a person."""
    with tenant_context(acme.domain_uuid):
        box = Destination.objects.create(name="Box", number="*99", kind="voicemail")
    with pytest.raises(CallbackRefused, match="not_a_person"):
        ask(acme, destination_uuid=box.pk)
    off = ask(acme)
    with tenant_context(acme.domain_uuid):
        Destination.objects.filter(pk=acme.sales.pk).update(enabled=False)
    assert due().placed == 0 and row_of(acme, off).state == "waiting"
    with tenant_context(acme.domain_uuid):
        Destination.objects.filter(pk=acme.sales.pk).update(enabled=True)
        cancel_callback(callback_uuid=off)
    uuid = ask(acme, destination_uuid=None)
    assert due().placed == 0
    with pytest.raises(CallbackRefused, match="nobody"):
        placing.place_now(domain_uuid=acme.domain_uuid, callback_uuid=uuid, asked_by="alice")
    assert (row_of(acme, uuid).state, row_of(acme, uuid).attempts) == ("waiting", 0)
    placing.place_now(
        domain_uuid=acme.domain_uuid, callback_uuid=uuid, asked_by="alice", destination_uuid=acme.sales.pk
    )
    assert row_of(acme, uuid).state == "running"


def test_bounds(acme: Tenant) -> None:
    """One number is not called back a hundred times."""
    for _ in range(5):
        ask(acme)
    with pytest.raises(CallbackRefused, match="too_many"):
        ask(acme)


# --- never without consent -----------------------------------------------------------------------------------------


def test_never_without_consent(acme: Tenant) -> None:
    """A row whose consent is gone is not placed by time nor by hand, and the database itself refuses to have it run."""
    uuid = ask(acme)
    with tenant_context(acme.domain_uuid):
        Callback.objects.update(consent_at=None)
    assert due().placed == 0
    with pytest.raises(CallbackRefused, match="not_open"):
        placing.place_now(domain_uuid=acme.domain_uuid, callback_uuid=uuid, asked_by="alice")
    with pytest.raises(IntegrityError), transaction.atomic(), tenant_context(acme.domain_uuid):
        Callback.objects.update(state="running")
    with tenant_context(acme.domain_uuid):
        assert not Job.objects.exists() and not CallbackAttempt.objects.exists()


# --- placing it ----------------------------------------------------------------------------------------------------


def test_placed_once_and_done(acme: Tenant) -> None:
    """The colleague first, told who it is about; then the caller. The end is in the row, and webhooks hear of it."""
    uuid = ask(acme)
    assert due() == placing.Placed(placed=1)
    assert due() == placing.Placed()
    row = row_of(acme, uuid)
    with tenant_context(acme.domain_uuid):
        job, attempt = Job.objects.get(), CallbackAttempt.objects.get()
    assert (row.state, row.attempts, row.job_uuid, attempt.pk) == ("running", 1, job.pk, job.pk)
    assert (job.kind, job.argument("number"), job.argument("then"), job.argument("to")) == (
        "originate", "1001", "dial", CUSTOMER,
    )  # fmt: skip
    assert job.argument("shown_name").endswith("Ana") and job.argument("shown_number") == CUSTOMER
    row = end(acme, uuid, "done")
    assert (row.state, row.outcome, row.next_attempt_at) == ("done", "done", None)
    assert row.finished_at is not None
    with tenant_context(acme.domain_uuid):
        assert CallbackAttempt.objects.get().outcome == "done"
    assert told(acme) == ["requested", "due", "done"]


@pytest.mark.django_db(transaction=True)
def test_ten_threads_place_it_once() -> None:
    """Ten workers at the same moment: one attempt, one job, one event."""
    acme = open_for_calls(make_tenant("acme.example", language="pt-br"))
    uuid = ask(acme)
    start = threading.Barrier(10)
    placed: list[int | str] = []

    def place() -> None:
        start.wait()
        try:
            placed.append(due().placed)
        except Exception as error:
            placed.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=place) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(placed, key=str) == [0] * 9 + [1]
    with tenant_context(acme.domain_uuid):
        assert Job.objects.count() == CallbackAttempt.objects.count() == 1
    assert row_of(acme, uuid).attempts == 1 and told(acme).count("due") == 1


def test_worker_dies_while_placing(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """All or nothing: what breaks off before the end has claimed nothing, and the next run places it."""
    uuid = ask(acme)

    def dies(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(placing.facts, "callback_due", dies)
        with pytest.raises(SystemExit):
            due()
    assert (row_of(acme, uuid).state, row_of(acme, uuid).attempts) == ("waiting", 0)
    assert due().placed == 1


@pytest.mark.parametrize(("dialled", "state", "outcome"), [(False, "waiting", "failed"), (True, "failed", "unknown")])
def test_worker_dies_while_it_rings(dialled: bool, state: str, outcome: str, acme: Tenant) -> None:
    """Before the caller was dialled it is tried again; after it nobody dials twice, and a person is told."""
    uuid = ask(acme)
    due()
    job = jobs.claim(domain_uuid=acme.domain_uuid, job_uuid=row_of(acme, uuid).job_uuid or uuid4())
    assert job is not None and jobs.mark_sent(job)
    assert not dialled or jobs.mark_dialled(job)
    jobs.sweep(timezone.now() + jobs.STALE_AFTER + timedelta(seconds=1))
    row = row_of(acme, uuid)
    assert (row.state, row.outcome) == (state, outcome)
    assert told(acme) == ["requested", "due", *(["failed"] if dialled else [])]


@pytest.mark.parametrize("gone", [False, True])
def test_end_that_was_not_written(gone: bool, acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A callback's trouble keeps no job from ending; it is ended by the next run, and never stands as being called."""
    uuid = ask(acme)
    due()

    def breaks(*_: object) -> None:
        raise RuntimeError("x")

    with monkeypatch.context() as patched:
        patched.setattr(placing.facts, "callback_ended", breaks)
        assert end(acme, uuid, "done").state == "running"
    with tenant_context(acme.domain_uuid):
        assert Job.objects.get().state == "done"
        if gone:
            Job.objects.all().delete()
    due()
    assert row_of(acme, uuid).state == "running"
    placing.place_due(timezone.now() + timedelta(minutes=2), ask_free=free)
    assert row_of(acme, uuid).state == ("failed" if gone else "done")
    assert told(acme) == ["requested", "due", "failed" if gone else "done"]


@pytest.mark.parametrize("word", [Free.BUSY, Free.DND, Free.UNREGISTERED])
def test_colleague_is_not_free(word: Free, acme: Tenant) -> None:
    """Nobody is rung, it is no attempt, and it is looked at again soon; a switch that does not say blocks nothing."""
    uuid = ask(acme)
    assert due(ask_free=lambda **_: Availability(word)) == placing.Placed(put_off=1)
    row = row_of(acme, uuid)
    assert (row.state, row.attempts, row.outcome) == ("waiting", 0, f"colleague_{word}")
    assert row.next_attempt_at is not None and timedelta(0) < row.next_attempt_at - timezone.now() < timedelta(
        minutes=3
    )
    later = timezone.now() + timedelta(minutes=3)
    assert placing.place_due(later, ask_free=lambda **_: Availability(Free.UNKNOWN)).placed == 1


def test_attempts_and_spacing(acme: Tenant) -> None:
    """Each failed attempt waits for the next; after the last one it is given up, once."""
    uuid = ask(acme, max_attempts=2, spacing_minutes=10)
    due()
    row = end(acme, uuid, "busy", leg="second", cause="USER_BUSY")
    assert (row.state, row.outcome, row.outcome_detail) == ("waiting", "busy", "customer USER_BUSY")
    assert row.next_attempt_at is not None
    assert timedelta(minutes=9) < row.next_attempt_at - timezone.now() <= timedelta(minutes=10)
    assert due().placed == 0
    assert placing.place_due(timezone.now() + timedelta(minutes=11), ask_free=free).placed == 1
    row = end(acme, uuid, "no_answer", dialled=False, leg="first", cause="NO_ANSWER")
    assert (row.state, row.attempts, row.outcome_detail) == ("failed", 2, "colleague NO_ANSWER")
    assert told(acme) == ["requested", "due", "due", "failed"]
    with tenant_context(acme.domain_uuid):
        assert list(CallbackAttempt.objects.values_list("position", "outcome", "leg")) == [
            (1, "busy", "customer"), (2, "no_answer", "colleague"),
        ]  # fmt: skip


def test_wrong_number_and_policy_are_final(acme: Tenant) -> None:
    """A number that does not exist is not tried again; one that is forbidden by now is never dialled."""
    wrong = ask(acme)
    due()
    assert end(acme, wrong, "unreachable", leg="second", cause="UNALLOCATED_NUMBER").state == "failed"
    forbidden = ask(acme)
    dialling.save_rules(domain_uuid=acme.domain_uuid, external_allowed=False)
    due()
    row = row_of(acme, forbidden)
    assert (row.state, row.outcome, row.outcome_detail, row.attempts) == ("failed", "not_allowed", "external", 0)


def test_enough_when_the_worker_asks(acme: Tenant) -> None:
    """A limit that was reached in between puts it off, too."""
    uuid = ask(acme)
    due()
    job = jobs.claim(domain_uuid=acme.domain_uuid, job_uuid=row_of(acme, uuid).job_uuid or uuid4())
    assert job is not None
    jobs.finish(job, JobResult(JobOutcome.NOT_ALLOWED, "calls_full 10 calls in progress"))
    row = row_of(acme, uuid)
    assert (row.state, row.outcome, row.outcome_detail[:10]) == ("waiting", "not_allowed", "calls_full")
    assert told(acme) == ["requested", "due"]


def test_enough_for_now(acme: Tenant) -> None:
    """The domain's limit of outside calls puts it off; nothing is lost."""
    dialling.save_rules(domain_uuid=acme.domain_uuid, external_per_hour=1)
    with tenant_context(acme.domain_uuid):
        Destination.objects.update(kind="ring_group")  # several people
    first, second = ask(acme), ask(acme)
    assert due().placed == 1
    states = sorted((row_of(acme, one).state, row_of(acme, one).outcome_detail) for one in (first, second))
    assert states == [("running", ""), ("waiting", "per_hour")]


def test_expires(acme: Tenant) -> None:
    """Too late is over, and told once."""
    uuid = ask(acme, not_after=timezone.now() + timedelta(hours=1))
    later = timezone.now() + timedelta(hours=2)
    assert placing.place_due(later, ask_free=free) == placing.Placed(expired=1)
    assert placing.place_due(later, ask_free=free) == placing.Placed()
    assert row_of(acme, uuid).state == "expired" and told(acme) == ["requested", "failed"]


def test_switched_off(acme: Tenant) -> None:
    """Where the domain wants people to place them, time alone places none."""
    ask(acme)
    save_calling_rules(domain_uuid=acme.domain_uuid, automatic=False)
    assert due().placed == 0


# --- times ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "allowed"),
    [
        ("2026-03-10T12:00", "2026-03-10T12:00"),
        ("2026-03-10T10:59", "2026-03-10T11:00"),
        ("2026-03-10T23:00", "2026-03-11T11:00"),
        ("2026-03-11T03:00", "2026-03-11T11:00"),
    ],
)
def test_the_domains_day(wanted: str, allowed: str, acme: Tenant) -> None:
    """Eight to eight on the domain's clock (here UTC-3), whatever the time is elsewhere."""
    with tenant_context(acme.domain_uuid):
        rules = calling_rules_of()
        rules.earliest, rules.latest = time(8), time(20)
        found = next_moment(
            datetime.fromisoformat(f"{wanted}+00:00"), domain_uuid=acme.domain_uuid, rules=rules,
            time_zone="America/Sao_Paulo",
        )  # fmt: skip
    assert found == datetime.fromisoformat(f"{allowed}+00:00")


def test_closed(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of the allowed times it is put off until they begin."""
    uuid = ask(acme)
    opens = timezone.now() + timedelta(hours=9)
    monkeypatch.setattr(placing, "next_moment", lambda *_, **__: opens)
    assert due().put_off == 1
    row = row_of(acme, uuid)
    assert (row.next_attempt_at, row.outcome, row.attempts) == (opens, "closed", 0)


# --- by hand -------------------------------------------------------------------------------------------------------


def test_by_hand(acme: Tenant) -> None:
    """Taken back, marked as done, taken up again: each once, each on record."""
    with tenant_context(acme.domain_uuid):
        one, two = ask(acme), ask(acme)
        assert cancel_callback(callback_uuid=one).state == "cancelled"
        assert finish_callback(callback_uuid=two).state == "done"
        for uuid in (one, two):
            for change in (cancel_callback, finish_callback, change_callback):
                with pytest.raises(CallbackRefused, match="not_open"):
                    change(callback_uuid=uuid)
        failed = ask(acme)
        Callback.objects.filter(pk=failed).update(state="failed", attempts=3)
        row = change_callback(callback_uuid=failed, name="Bea", destination_uuid=None)
        assert (row.state, row.name, row.max_attempts, row.destination) == ("waiting", "Bea", 6, None)
        with pytest.raises(ValidationError):
            change_callback(callback_uuid=failed, not_before=row.not_after + timedelta(days=1))
        actions = set(AuditEvent.objects.filter(object_kind="callback").values_list("action", flat=True))
    assert actions == {"callback.created", "callback.changed"}
    assert sorted(told(acme)) == ["cancelled", "done", "requested", "requested", "requested"]


@pytest.mark.parametrize("ringing", [False, True])
def test_taken_back_while_it_runs(ringing: bool, acme: Tenant) -> None:
    """Before it went out nothing rings; after it what rings is hung up by a job; either way it is over at once."""
    uuid = ask(acme)
    due()
    job_uuid = row_of(acme, uuid).job_uuid or uuid4()
    job = jobs.claim(domain_uuid=acme.domain_uuid, job_uuid=job_uuid)
    assert job is not None
    if ringing:
        assert jobs.mark_sent(job)
    with tenant_context(acme.domain_uuid):
        assert cancel_callback(callback_uuid=uuid).state == "cancelled"
        assert Job.objects.filter(kind="hangup", arguments__job_uuid=str(job_uuid)).exists() == ringing
    if ringing:
        assert not jobs.mark_dialled(job)
        assert jobs.finish(job, JobResult(JobOutcome.FAILED))
    with tenant_context(acme.domain_uuid):
        assert Job.objects.get(pk=job_uuid).state == "cancelled"
        assert CallbackAttempt.objects.get().outcome == "cancelled"
    assert row_of(acme, uuid).state == CallbackState.CANCELLED
    assert told(acme) == ["requested", "due", "cancelled"]


# --- tenants never meet --------------------------------------------------------------------------------------------


def test_tenants_never_meet(acme: Tenant, globex: Tenant) -> None:
    """Globex's callback under acme's name is not there; globex's people and calls cannot be named in acme's."""
    theirs = ask(globex)
    attempts: list[Callable[[], object]] = [
        lambda: cancel_callback(callback_uuid=theirs),
        lambda: change_callback(callback_uuid=theirs, name="x"),
        lambda: finish_callback(callback_uuid=theirs),
    ]
    for attempt in attempts:
        with pytest.raises(Callback.DoesNotExist), tenant_context(acme.domain_uuid):
            attempt()
    with pytest.raises(CallbackRefused, match="not_open"):
        placing.place_now(domain_uuid=acme.domain_uuid, callback_uuid=theirs, asked_by="alice")
    for about in (
        {"destination_uuid": globex.sales.pk}, {"secretary_uuid": globex.secretary.pk}, {"call_uuid": globex.call().pk},
    ):  # fmt: skip
        with pytest.raises(CallbackRefused, match="unknown"):
            ask(acme, **about)
    with tenant_context(acme.domain_uuid):
        assert not Callback.objects.exists() and not Message.objects.exists()
    assert row_of(globex, theirs).state == "waiting"
    assert told(acme) == []
