"""What is older than a domain's rules is gone: rows and files, in every order of crashes, and the record proves it."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from secretary.models import Call, CallEvent, Message, UsageRecord, Utterance
from secretary.profiles import CallRecord, EventRecord, MessageRecord, UtteranceRecord
from secretary.services import files, retention
from secretary.services.calls import finish_call
from secretary.services.orphans import sweep_orphans
from secretary.services.retention import forget_old_data
from secretary.tools.models import CallerFact
from secretary.webhooks.models import Webhook, WebhookEvent
from tenants.context import platform_context, tenant_context
from tenants.models import AuditEvent, Domain, InstallationEvent
from tenants.quotas import set_rules
from tests.cast import Tenant

ALL = {"transcripts_days": 30, "recordings_days": 30, "messages_days": 30, "events_days": 30, "facts_days": 30}


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, settings: Any) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def kept_call(tenant: Tenant, data_dir: Path, *, days_ago: int = 0) -> tuple[Call, Path, Path]:
    """A call with everything, and its files."""
    with tenant_context(tenant.domain_uuid):
        Webhook.objects.get_or_create(url="https://hooks.example.com/", defaults={"events": ["*"], "secret": "x"})
    call = tenant.call(caller_number="+5511987650001")
    folder = f"calls/{tenant.domain_uuid}/2026-11"
    recording, audio = f"{folder}/{call.pk}.wav", f"{folder}/{call.pk}-message-0a1b2c3d.wav"
    for name in (recording, audio):
        (data_dir / name).parent.mkdir(parents=True, exist_ok=True)
        (data_dir / name).write_bytes(b"RIFF")
    record = CallRecord(
        "message",
        answered_at=call.started_at,
        recording=recording,
        utterances=(UtteranceRecord("caller", "call me back", 0, 900),),
        events=(EventRecord(0, "answered"),),
        message=MessageRecord("call me back", audio, True),
    )
    finish_call(domain_uuid=tenant.domain_uuid, call_uuid=call.pk, record=record)
    then = timezone.now() - timedelta(days=days_ago)
    with tenant_context(tenant.domain_uuid):
        Call.objects.filter(pk=call.pk).update(started_at=then, ended_at=then)
        for model in (Utterance, CallEvent, Message):
            model.objects.filter(call=call).update(created_at=then)
        WebhookEvent.objects.filter(payload__call_uuid=str(call.pk)).update(occurred_at=then)
        fact = CallerFact.objects.create(number="5511987650001", text="Prefers mornings", call_uuid=call.pk)
        CallerFact.objects.filter(pk=fact.pk).update(created_at=then)
    return call, data_dir / recording, data_dir / audio


def left(tenant: Tenant) -> dict[str, int]:
    with tenant_context(tenant.domain_uuid):
        return {
            "calls": Call.objects.count(),
            "recordings": Call.objects.exclude(recording="").count(),
            "transcripts": Utterance.objects.count(),
            "events": CallEvent.objects.count(),
            "messages": Message.objects.count(),
            "told": WebhookEvent.objects.count(),
            "summaries": Call.objects.exclude(summary="").count(),
            "facts": CallerFact.objects.count(),
        }


def test_nothing_without_a_rule(acme: Tenant, data_dir: Path) -> None:
    """By default all is kept."""
    kept_call(acme, data_dir, days_ago=3_000)
    before = left(acme)
    forget_old_data()
    assert left(acme) == before and before["messages"] == 1


def test_old_goes_new_stays(acme: Tenant, globex: Tenant, data_dir: Path) -> None:
    """Rows and files older than the rule; neither younger ones nor another tenant's. The call and its usage remain."""
    set_rules(domain_uuid=acme.domain_uuid, **ALL)
    _, old_recording, old_audio = kept_call(acme, data_dir, days_ago=31)
    _, recording, audio = kept_call(acme, data_dir, days_ago=29)
    _, foreign, _ = kept_call(globex, data_dir, days_ago=31)
    forget_old_data()
    assert not old_recording.exists() and not old_audio.exists()
    assert recording.exists() and audio.exists() and foreign.exists()
    assert left(acme) == {"calls": 2, "recordings": 1, "transcripts": 1, "events": 1, "messages": 1, "told": 3} | {
        "summaries": 1, "facts": 1,
    }  # fmt: skip
    assert left(globex)["transcripts"] == 1
    with tenant_context(acme.domain_uuid):
        assert UsageRecord.objects.count() == 2


@pytest.mark.parametrize(
    ("rule", "gone"),
    [
        ("transcripts_days", {"transcripts", "summaries"}),
        ("recordings_days", {"recordings"}),
        ("messages_days", {"messages", "told"}),
        ("events_days", {"events", "told"}),
        ("facts_days", {"facts"}),
    ],
)
def test_each_rule_by_itself(acme: Tenant, data_dir: Path, rule: str, gone: set[str]) -> None:
    """A rule is about its own kind of thing."""
    kept_call(acme, data_dir, days_ago=40)
    before = left(acme)
    set_rules(domain_uuid=acme.domain_uuid, **{rule: 30})
    forget_old_data()
    assert {kind for kind, count in left(acme).items() if count < before[kind]} == gone


def test_proof(acme: Tenant, data_dir: Path) -> None:
    """The domain's record says how many of what were deleted and by which limit, and nothing of the callers."""
    set_rules(domain_uuid=acme.domain_uuid, **ALL)
    kept_call(acme, data_dir, days_ago=31)
    forget_old_data()
    with tenant_context(acme.domain_uuid):
        lines = list(AuditEvent.objects.filter(action="retention.purged"))
    assert {line.new["kind"] for line in lines} == set(retention.PURGES)
    assert all(line.new["count"] >= 1 and line.actor_kind == "system" for line in lines)
    assert "98765" not in str([line.new for line in lines])


def test_batches(acme: Tenant, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a batch takes more than one transaction, and a run that is out of time leaves the rest to the next."""
    monkeypatch.setattr(retention, "BATCH", 2)
    set_rules(domain_uuid=acme.domain_uuid, messages_days=30)
    for _ in range(5):
        kept_call(acme, data_dir, days_ago=31)
    assert forget_old_data(longest_s=0)["messages"] == 0
    assert forget_old_data()["messages"] == 5
    with tenant_context(acme.domain_uuid):
        lines = AuditEvent.objects.filter(action="retention.purged")
        assert sorted(line.new["count"] for line in lines) == [1, 2, 2]


def test_a_crash_between_file_and_row(acme: Tenant, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is gone, the row is not: the next run finishes, and no file is ever without a row."""
    set_rules(domain_uuid=acme.domain_uuid, recordings_days=30, messages_days=30)
    _, recording, audio = kept_call(acme, data_dir, days_ago=31)

    class PowerCut(BaseException):
        """Nobody catches this."""

    def cut(*_: object, **__: object) -> None:
        raise PowerCut

    with monkeypatch.context() as crash:
        crash.setattr("secretary.services.retention.audit.log", cut)
        with pytest.raises(PowerCut):
            forget_old_data()
    assert not recording.exists() and audio.exists()
    assert left(acme)["recordings"] == 1
    forget_old_data()
    assert not audio.exists() and left(acme)["recordings"] == left(acme)["messages"] == 0


def test_a_file_that_cannot_be_deleted(acme: Tenant, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its row stays, so that it is tried again; the others go."""
    set_rules(domain_uuid=acme.domain_uuid, recordings_days=30)
    _, stuck, _ = kept_call(acme, data_dir, days_ago=31)
    _, other, _ = kept_call(acme, data_dir, days_ago=31)
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path == stuck:
            raise PermissionError("read-only")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    forget_old_data()
    assert stuck.exists() and not other.exists() and left(acme)["recordings"] == 1


@pytest.mark.parametrize("path", ["../secret.wav", "/etc/passwd", "calls/../../secret.wav", "link.wav", "."])
def test_never_outside(data_dir: Path, tmp_path_factory: pytest.TempPathFactory, path: str) -> None:
    """A path that leads out of DATA_DIR touches nothing, whatever row it comes from."""
    secret = data_dir.parent / "secret.wav"
    secret.write_bytes(b"x")
    (data_dir / "link.wav").symlink_to(secret)
    assert files.below(path) is None
    assert files.remove(path)
    assert secret.exists() and data_dir.exists()


def test_orphans(acme: Tenant, globex: Tenant, data_dir: Path) -> None:
    """A file without a row goes after a week; one with a row, a young one, and what is not ours stay."""
    _, recording, audio = kept_call(acme, data_dir)
    folder = recording.parent
    lost, young, alien = folder / f"{uuid4()}.wav", folder / f"{uuid4()}.wav", folder / "notes.txt"
    theirs = data_dir / f"calls/{globex.domain_uuid}/2026-11/{recording.name}"
    theirs.parent.mkdir(parents=True)
    elsewhere = data_dir / "voices" / f"{uuid4()}.wav"
    elsewhere.parent.mkdir()
    for path in (lost, young, alien, theirs, elsewhere):
        path.write_bytes(b"RIFF")
    week_ago = time.time() - 8 * 86_400
    for path in (recording, audio, lost, alien, theirs, elsewhere):
        os.utime(path, (week_ago, week_ago))
    assert sweep_orphans() == 2
    assert not lost.exists() and not theirs.exists()
    assert all(path.exists() for path in (recording, audio, young, alien, elsewhere))
    with platform_context():
        assert InstallationEvent.objects.filter(action="orphans.removed").count() == 2


def test_files_of_a_deleted_domain(acme: Tenant, data_dir: Path) -> None:
    """They have no rows left, and go."""
    _, recording, audio = kept_call(acme, data_dir)
    with tenant_context(acme.domain_uuid):
        Domain.objects.get().delete()
    assert sweep_orphans() == 0
    assert sweep_orphans(now=time.time() + 8 * 86_400) == 2
    assert not recording.exists() and not audio.exists()
