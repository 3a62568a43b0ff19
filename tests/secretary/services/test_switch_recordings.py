"""A recording that the switch made comes here once it is finished, and goes where the call goes."""

from __future__ import annotations

import os
import time
import wave
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from secretary.models import Call, CallOutcome, RecordingState
from secretary.services import switch_recordings
from secretary.services.retention import forget_old_data
from tenants.context import tenant_context
from tenants.quotas import set_rules
from tests.cast import Tenant

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shared_folder(settings: Any, tmp_path: Path) -> Path:
    """The switch sees it under another name than we do."""
    settings.DATA_DIR = tmp_path / "data"
    settings.SWITCH_RECORDINGS_PATH = "/switch/recordings/"
    settings.SWITCH_RECORDINGS_MOUNT = str(tmp_path / "mount")
    (tmp_path / "mount").mkdir()
    return tmp_path / "mount"


def ended_call(tenant: Tenant) -> UUID:
    call = tenant.call()
    switch_recordings.expect(domain_uuid=tenant.domain_uuid, call_uuid=call.pk)
    with tenant_context(tenant.domain_uuid):
        Call.objects.filter(pk=call.pk).update(outcome=CallOutcome.TRANSFERRED, ended_at=timezone.now())
    return UUID(str(call.pk))


def written(tenant: Tenant, call_uuid: UUID, *, age_s: float = 60, sound: bool = True, complete: bool = True) -> Path:
    """The switch's file, last written to so long ago. Not `complete`: with the header of FreeSWITCH's that goes on."""
    switch_recordings.make_folder(domain_uuid=tenant.domain_uuid)
    path = switch_recordings.path_here(domain_uuid=tenant.domain_uuid, call_uuid=call_uuid)
    if sound:
        with wave.open(str(path), "wb") as file:
            file.setparams((2, 2, 8000, 0, "NONE", ""))
            file.writeframes(bytes(6400))
    else:
        path.write_bytes(b"RI")
    if not complete:
        begun = path.read_bytes()
        path.write_bytes(begun[:4] + b"\x08\0\0\0" + begun[8:40] + bytes(4) + begun[44:])
    os.utime(path, (time.time() - age_s,) * 2)
    return path


def state(tenant: Tenant, call_uuid: UUID) -> tuple[str, str]:
    with tenant_context(tenant.domain_uuid):
        call = Call.objects.get(pk=call_uuid)
        return call.recording_state, call.recording


def test_finished_file_is_fetched_and_the_original_deleted(acme: Tenant, settings: Any) -> None:
    """Played and kept like every other recording from then on."""
    call_uuid = ended_call(acme)
    source = written(acme, call_uuid)
    assert switch_recordings.collect() == 1 and switch_recordings.collect() == 0
    kept, path = state(acme, call_uuid)
    assert kept == RecordingState.STORED and not source.exists()
    with wave.open(str(settings.DATA_DIR / path)) as file:
        assert (file.getnchannels(), file.getnframes()) == (2, 1600)


def test_file_that_grows_is_left_alone(acme: Tenant) -> None:
    """The caller still talks with the colleague."""
    call_uuid = ended_call(acme)
    source = written(acme, call_uuid, age_s=2)
    assert switch_recordings.collect() == 0
    assert source.exists() and state(acme, call_uuid)[0] == RecordingState.WAITING


def test_somebody_is_on_hold(acme: Tenant) -> None:
    """Nothing is written for minutes, and the recording is not over: its file has no end yet."""
    call_uuid = ended_call(acme)
    source = written(acme, call_uuid, age_s=600, complete=False)
    assert switch_recordings.collect() == 0
    assert source.exists() and state(acme, call_uuid)[0] == RecordingState.WAITING


def test_the_switch_went_down(acme: Tenant, settings: Any) -> None:
    """A file that will never have an end is given one, and plays."""
    call_uuid = ended_call(acme)
    written(acme, call_uuid, age_s=switch_recordings.ABANDONED_S + 1, complete=False)
    assert switch_recordings.collect() == 1
    with wave.open(str(settings.DATA_DIR / state(acme, call_uuid)[1])) as file:
        assert (file.getnchannels(), file.getnframes()) == (2, 1600)


def test_file_that_never_comes_is_said_to_be_missing(acme: Tenant) -> None:
    """After two days, not before: a call may be long."""
    call_uuid = ended_call(acme)
    switch_recordings.collect(timezone.now() + timedelta(days=1))
    assert state(acme, call_uuid)[0] == RecordingState.WAITING
    switch_recordings.collect(timezone.now() + timedelta(days=3))
    assert state(acme, call_uuid)[0] == RecordingState.MISSING


def test_garbage_is_not_kept(acme: Tenant) -> None:
    """A file that no player would open is not offered for playing."""
    call_uuid = ended_call(acme)
    written(acme, call_uuid, sound=False, age_s=switch_recordings.ABANDONED_S + 1)
    assert switch_recordings.collect() == 0
    assert state(acme, call_uuid) == (RecordingState.MISSING, "")


def test_full_disk_loses_nothing(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be copied stays on the switch and is tried again."""
    call_uuid = ended_call(acme)
    source = written(acme, call_uuid)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("shutil.copyfile", full)
        assert switch_recordings.collect() == 0
    assert source.exists() and state(acme, call_uuid)[0] == RecordingState.WAITING
    assert switch_recordings.collect() == 1


def test_without_a_shared_folder_nothing_is_looked_for(acme: Tenant, settings: Any) -> None:
    """The default: the voice node records."""
    settings.SWITCH_RECORDINGS_PATH = ""
    ended_call(acme)
    assert not switch_recordings.is_possible() and switch_recordings.collect() == 0


def test_each_tenant_has_its_own_folder(acme: Tenant, globex: Tenant) -> None:
    """The same call's UUID under another domain is another file; a foreign call's state cannot be set."""
    call_uuid = ended_call(acme)
    written(globex, call_uuid)
    assert switch_recordings.collect() == 0
    assert switch_recordings.path_on_switch(domain_uuid=acme.domain_uuid, call_uuid=call_uuid).startswith(
        f"/switch/recordings/{acme.domain_uuid}/"
    )
    other = uuid4()
    switch_recordings.expect(domain_uuid=globex.domain_uuid, call_uuid=call_uuid)
    switch_recordings.expect(domain_uuid=globex.domain_uuid, call_uuid=other)
    assert state(acme, call_uuid)[0] == RecordingState.WAITING


def test_retention_forgets_what_was_never_fetched(acme: Tenant, globex: Tenant) -> None:
    """A recording that still lies on the switch goes with its rule, too; another tenant's stays."""
    set_rules(domain_uuid=acme.domain_uuid, recordings_days=30)
    paths = []
    for tenant in (acme, globex):
        call_uuid = ended_call(tenant)
        paths.append(written(tenant, call_uuid))
        with tenant_context(tenant.domain_uuid):
            Call.objects.filter(pk=call_uuid).update(ended_at=timezone.now() - timedelta(days=31))
        if tenant is acme:
            forgotten = call_uuid
    forget_old_data()
    assert [path.exists() for path in paths] == [False, True]
    assert state(acme, forgotten) == ("", "")


def test_a_recording_that_never_began_is_not_awaited(acme: Tenant, globex: Tenant) -> None:
    """The switch refused: the call waits for no file; another tenant cannot say so."""
    call_uuid = ended_call(acme)
    switch_recordings.give_up(domain_uuid=globex.domain_uuid, call_uuid=call_uuid)
    assert state(acme, call_uuid) == ("waiting", "")
    switch_recordings.give_up(domain_uuid=acme.domain_uuid, call_uuid=call_uuid)
    assert state(acme, call_uuid) == ("", "")
