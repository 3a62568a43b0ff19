"""All of one caller's data, and only theirs: given out, and erased without a trace."""

from __future__ import annotations

import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.utils import timezone

from eslbridge.dialling import save_rules
from eslbridge.models import Job
from secretary.models import Call, CallerRequest, CallEvent, Message, UsageRecord, Utterance
from secretary.profiles import CallRecord, EventRecord, MessageRecord, UtteranceRecord
from secretary.services import caller_requests
from secretary.services.callbacks import Consent, cancel_callback, change_callback, request_callback
from secretary.services.caller_requests import ask, run_waiting
from secretary.services.calling_out import click_to_call, record
from secretary.services.calls import finish_call
from secretary.services.transfers import request_transfer
from secretary.tools.models import CallerFact
from secretary.webhooks.models import Webhook, WebhookEvent
from tenants.context import tenant_context
from tenants.models import AuditEvent, TenantModel
from tenants.origin import Actor, acting
from tenants.services import update_domain
from tests.cast import Tenant

ALICE, BOB = "+5511987650001", "+5511987650002"


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(caller_requests, "kick", lambda: None)
    return tmp_path


def spoke(tenant: Tenant, data_dir: Path, number: str) -> Call:
    """A call of this number with all that a call can leave."""
    update_domain(domain_uuid=tenant.domain_uuid, language="pt-br")
    with tenant_context(tenant.domain_uuid):
        Webhook.objects.get_or_create(url="https://hooks.example.com/", defaults={"events": ["*"], "secret": "x"})
    call = tenant.call(caller_number=number, caller_name="Alice")
    request_transfer(domain_uuid=tenant.domain_uuid, call_uuid=call.pk, destination_uuid=tenant.sales.destination_uuid)
    names = [f"calls/{tenant.domain_uuid}/2026-11/{call.pk}{end}.wav" for end in ("", "-message-0a1b2c3d")]
    for name in names:
        (data_dir / name).parent.mkdir(parents=True, exist_ok=True)
        (data_dir / name).write_bytes(b"RIFF" + number.encode())
    record = CallRecord(
        "message",
        answered_at=call.started_at,
        recording=names[0],
        utterances=(UtteranceRecord("caller", f"I am {number}", 0, 900),),
        events=(EventRecord(0, "answered"),),
        message=MessageRecord("call me back", names[1], True),
    )
    finish_call(domain_uuid=tenant.domain_uuid, call_uuid=call.pk, record=record)
    with tenant_context(tenant.domain_uuid):
        CallerFact.objects.create(number=number[1:], text=f"Known as {number}", call_uuid=call.pk)
    return call


def ask_for(tenant: Tenant, kind: str, number: str) -> CallerRequest:
    with tenant_context(tenant.domain_uuid), acting(Actor("user", "7", "alice.admin")):
        return ask(kind=kind, number=number)


def again(request: CallerRequest) -> CallerRequest:
    with tenant_context(request.domain_uuid):
        return CallerRequest.objects.get(pk=request.pk)


def left(tenant: Tenant) -> dict[str, int]:
    with tenant_context(tenant.domain_uuid):
        kinds = (Call, Utterance, CallEvent, Message, Job, WebhookEvent, UsageRecord, CallerFact)
        return {kind.__name__: kind.objects.count() for kind in kinds}


def unzipped(data_dir: Path, request: CallerRequest) -> dict[str, bytes]:
    with zipfile.ZipFile(data_dir / again(request).path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_export(acme: Tenant, globex: Tenant, data_dir: Path) -> None:
    """A ZIP with everything of the number, in any way of writing it, and nothing of anybody else."""
    mine, other, foreign = spoke(acme, data_dir, ALICE), spoke(acme, data_dir, BOB), spoke(globex, data_dir, ALICE)
    request = ask_for(acme, "export", "011 98765-0001")
    assert run_waiting() == 1
    done = again(request)
    assert (done.state, done.number) == ("done", "") and done.expires_at is not None
    assert done.found == {
        "calls": 1, "messages": 1, "recordings": 2, "webhook_events": 4, "facts": 1, "callbacks": 0, "jobs": 1,
    }  # fmt: skip
    files = unzipped(data_dir, request)
    whole = b"".join(files.values()).decode("latin-1") + " ".join(files)
    assert str(other.pk) not in whole and str(foreign.pk) not in whole and BOB not in whole
    call = json.loads(files[f"calls/{mine.pk}.json"])
    assert call["caller_number"] == ALICE and call["transcript"][0]["text"] == f"I am {ALICE}"
    assert call["timeline"][0]["kind"] == "answered" and call["summary"]
    assert [fact["fact"] for fact in json.loads(files["remembered.json"])] == [f"Known as {ALICE}"]
    assert files[f"calls/{mine.pk}.wav"].startswith(b"RIFF")
    assert sum(name.startswith("messages/") for name in files) == 2


def test_export_ends(acme: Tenant, data_dir: Path) -> None:
    """After its time the file is gone; the row says so."""
    spoke(acme, data_dir, ALICE)
    request = ask_for(acme, "export", ALICE)
    run_waiting()
    path = data_dir / again(request).path
    assert path.exists() and path.stat().st_mode & 0o007 == 0
    with tenant_context(acme.domain_uuid):
        CallerRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    run_waiting()
    assert not path.exists() and again(request).state == "expired" and again(request).path == ""


def test_erase(acme: Tenant, globex: Tenant, data_dir: Path) -> None:
    """Nothing of the number is left, in rows or files; others' data and the figures of usage are."""
    spoke(globex, data_dir, ALICE)
    spoke(acme, data_dir, BOB)
    before, elsewhere = left(acme), left(globex)
    call = spoke(acme, data_dir, ALICE)
    export = ask_for(acme, "export", ALICE)
    run_waiting()
    request = ask_for(acme, "erase", "(11) 98765-0001")
    assert run_waiting() == 1
    assert left(acme) == {**before, "UsageRecord": 2} and left(globex) == elsewhere
    assert again(request).found["calls"] == 1 and again(request).found["exports"] == 1
    assert again(export).state == "expired"
    names = [str(path) for path in data_dir.rglob("*") if path.is_file()]
    assert len(names) == 4 and not any(str(call.pk) in name for name in names)


def test_no_trace(acme: Tenant, data_dir: Path) -> None:
    """The record says that and by whom it was erased, and how much; not whose it was."""
    spoke(acme, data_dir, ALICE)
    ask_for(acme, "erase", ALICE)
    run_waiting()
    with tenant_context(acme.domain_uuid):
        lines = {line.action: line for line in AuditEvent.objects.filter(object_kind="callerrequest")}
        assert not CallerRequest.objects.exclude(number="").exists()
    assert set(lines) == {"caller.erase_asked", "caller.erased"}
    assert lines["caller.erase_asked"].actor_label == "alice.admin"
    assert lines["caller.erased"].new["asked_by"] == "alice.admin" and lines["caller.erased"].new["calls"] == 1
    for line in lines.values():
        assert "98765" not in json.dumps([line.old, line.new, line.object_label, line.object_id])


def test_a_call_that_goes_on(acme: Tenant, data_dir: Path) -> None:
    """It is not pulled away from under the conversation; the answer says that it is there."""
    update_domain(domain_uuid=acme.domain_uuid, language="pt-br")
    acme.call(caller_number=ALICE)
    request = ask_for(acme, "erase", ALICE)
    run_waiting()
    assert again(request).found["calls_going_on"] == 1 and left(acme)["Call"] == 1


def test_a_message_without_its_call(acme: Tenant, data_dir: Path) -> None:
    """Found by its own number."""
    call = spoke(acme, data_dir, ALICE)
    with tenant_context(acme.domain_uuid):
        Message.objects.update(call=None)
        Call.objects.get(pk=call.pk).delete()
    ask_for(acme, "erase", ALICE)
    run_waiting()
    assert left(acme)["Message"] == 0


def test_a_message_with_a_number_given(acme: Tenant, data_dir: Path) -> None:
    """Whoever said Alice's number from another telephone left something of Alice's."""
    call = spoke(acme, data_dir, BOB)
    with tenant_context(acme.domain_uuid):
        Message.objects.filter(call=call).update(given_number="11 98765 0001")
    ask_for(acme, "erase", ALICE)
    run_waiting()
    assert left(acme)["Message"] == 0 and left(acme)["Call"] == 1


def test_a_crash_is_tried_again(acme: Tenant, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that dies loses nothing: another one takes over after a while, and gives up after three times."""
    spoke(acme, data_dir, ALICE)
    request = ask_for(acme, "export", ALICE)

    def broken(**_: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as crash:
        crash.setattr("secretary.services.caller_export.export", broken)
        assert run_waiting() == 0
    assert again(request).state == "waiting" and run_waiting() == 0
    with tenant_context(acme.domain_uuid):
        CallerRequest.objects.update(updated_at=timezone.now() - timedelta(seconds=200))
    assert run_waiting() == 1 and again(request).state == "done"
    assert not list(data_dir.rglob("*.part.zip"))


def test_given_up(acme: Tenant, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After three attempts the request has failed, and the number is forgotten all the same."""
    request = ask_for(acme, "erase", ALICE)

    def broken(**_: object) -> None:
        raise OSError("read-only")

    monkeypatch.setattr("secretary.services.caller_erasure.erase", broken)
    for _ in range(3):
        run_waiting()
        with tenant_context(acme.domain_uuid):
            CallerRequest.objects.update(updated_at=timezone.now() - timedelta(seconds=200))
    assert (again(request).state, again(request).number) == ("failed", "")


def test_a_file_that_stays_keeps_its_row(acme: Tenant, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Erasing is not called done while a recording is still there."""
    spoke(acme, data_dir, ALICE)
    request = ask_for(acme, "erase", ALICE)
    monkeypatch.setattr("secretary.services.caller_erasure.files.remove", lambda path: False)
    assert run_waiting() == 0
    assert again(request).state == "waiting" and left(acme)["Call"] == 1


@pytest.mark.parametrize("number", ["", "anonymous", "1" * 30, "7", "9" * 65])
def test_what_is_no_number(acme: Tenant, number: str) -> None:
    """Nobody erases everybody by leaving the field empty."""
    with pytest.raises(ValidationError):
        ask_for(acme, "erase", number)


def test_anothers_request(acme: Tenant, globex: Tenant) -> None:
    """A tenant sees and touches its own requests only."""
    request = ask_for(globex, "export", ALICE)
    with tenant_context(acme.domain_uuid):
        assert not CallerRequest.objects.filter(pk=request.pk).exists()
        assert CallerRequest.objects.filter(pk=uuid4()).first() is None


def test_in_no_table_at_all(acme: Tenant, data_dir: Path) -> None:
    """Neither number nor name of an erased caller stands in any row of any table of the tenant, the record of changes
    included; a new table is found by itself."""
    call = spoke(acme, data_dir, ALICE)
    with tenant_context(acme.domain_uuid):
        call.secretary.allow_list, call.secretary.callback_other_numbers = ["+55*"], True
        call.secretary.save()
    about: Any = {"secretary_uuid": acme.secretary.pk, "call_uuid": call.pk, "destination_uuid": acme.sales.pk}
    save_rules(domain_uuid=acme.domain_uuid, external_allowed=True, country="BR")
    uuid = request_callback(
        domain_uuid=acme.domain_uuid, number=ALICE, name="Alice", reason="Alice wants her bill",
        consent=Consent("spoken", "Reception"), not_before=None, not_after=None, **about,
    )  # fmt: skip
    with tenant_context(acme.domain_uuid):
        change_callback(callback_uuid=uuid, name="Alice B.")
        job = click_to_call(domain_uuid=acme.domain_uuid, phone="1001", number=ALICE, name="Alice")
        record(job)
        cancel_callback(callback_uuid=uuid)
        Job.objects.update(state="done", outcome="done", finished_at=timezone.now())
    models = [model for model in apps.get_models() if issubclass(model, TenantModel | AuditEvent)]

    def traces() -> set[str]:
        with tenant_context(acme.domain_uuid):
            rows = [(model.__name__, str(row)) for model in models for row in model._default_manager.values()]
        return {name for name, row in rows if "98765" in row or "Alice" in row}

    assert traces() >= {"Call", "Utterance", "Callback", "Job", "WebhookEvent", "CallerFact", "DialAttempt"}
    ask_for(acme, "erase", ALICE)
    run_waiting()
    assert traces() == set()
