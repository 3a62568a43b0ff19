"""Recordings that the switch makes: where they lie, and how they get from there to us.

The switch writes to a folder of its own, which is also mounted here (SWITCH_RECORDINGS_MOUNT). A worker looks for files
that are complete, copies each below DATA_DIR, where playing and retention know it, and deletes the original. Paths are
made of UUIDs alone: nothing that a caller or a tenant says becomes part of one.
"""

from __future__ import annotations

import shutil
import time
import wave
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from secretary.models import Call, RecordingState
from secretary.services.wav_ends import give_end, has_end
from tenants.context import platform_context, tenant_context

log = structlog.get_logger(__name__)

BATCH: Final = 200
LONGEST_S: Final = 60.0
SETTLED_S: Final = 20.0
"""So long nobody has written to a file that is finished; while it records the switch writes every few seconds."""
ABANDONED_S: Final = 4 * 3600.0
"""The same for one without an end, which the switch writes when the recording ends. Nothing is recorded while somebody
is on hold (seen on 1.11); after so long the switch went down in the middle of it."""
PATIENCE: Final = timedelta(days=2)
"""How long after the call's end its recording may come; longer than any call that goes on with a colleague."""


def is_possible() -> bool:
    """Whether this installation shares a folder with its switches."""
    return bool(settings.SWITCH_RECORDINGS_PATH)


def path_on_switch(*, domain_uuid: UUID, call_uuid: UUID) -> str:
    """Where the switch is to write this call's recording, as the switch sees it."""
    return f"{settings.SWITCH_RECORDINGS_PATH.rstrip('/')}/{domain_uuid}/{call_uuid}.wav"


def path_here(*, domain_uuid: UUID, call_uuid: UUID) -> Path:
    """The same file, as it is mounted here."""
    return Path(settings.SWITCH_RECORDINGS_MOUNT) / str(domain_uuid) / f"{call_uuid}.wav"


def make_folder(*, domain_uuid: UUID) -> None:
    """The switch makes no folder on its way. Raises OSError."""
    folder = Path(settings.SWITCH_RECORDINGS_MOUNT) / str(domain_uuid)
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o2770)  # the mount's group is the switch's, and it must be able to write here


def expect(*, domain_uuid: UUID, call_uuid: UUID) -> None:
    """Remember that the switch records this call."""
    with tenant_context(domain_uuid):
        Call.objects.filter(pk=call_uuid).update(recording_state=RecordingState.WAITING)


def give_up(*, domain_uuid: UUID, call_uuid: UUID) -> None:
    """The switch does not record this call after all."""
    with tenant_context(domain_uuid):
        Call.objects.filter(pk=call_uuid, recording_state=RecordingState.WAITING).update(
            recording_state=RecordingState.NONE
        )


def collect(now: datetime | None = None, *, longest_s: float = LONGEST_S) -> int:
    """Fetch what is finished, in all domains. Returns how many recordings came."""
    if not is_possible():
        return 0
    moment, until = now or timezone.now(), time.monotonic() + longest_s
    over = Q(recording_state=RecordingState.WAITING, ended_at__isnull=False)
    with platform_context():
        rows = list(Call.objects.filter(over).order_by("ended_at").values_list("domain_id", "pk", "ended_at")[:BATCH])
    came = 0
    for domain_uuid, call_uuid, ended_at in rows:
        if time.monotonic() > until:
            break
        source = path_here(domain_uuid=domain_uuid, call_uuid=call_uuid)
        try:
            quiet_s = moment.timestamp() - source.stat().st_mtime
            finished = quiet_s >= (SETTLED_S if has_end(source) else ABANDONED_S)
        except FileNotFoundError:
            if ended_at is not None and ended_at < moment - PATIENCE:
                _set(domain_uuid, call_uuid, RecordingState.MISSING)
                log.error("switch_recording.missing", call_uuid=str(call_uuid), path=str(source))
            continue
        except OSError as error:
            log.error("switch_recording.not_readable", call_uuid=str(call_uuid), error=str(error))
            continue
        if finished:
            came += _fetch(domain_uuid, call_uuid, source, moment)
    return came


def forget(*, domain_uuid: UUID, call_uuid: UUID) -> bool:
    """Delete what the switch has of a call, if it was not fetched. False: it is there and cannot be deleted."""
    if not is_possible():
        return True
    try:
        path_here(domain_uuid=domain_uuid, call_uuid=call_uuid).unlink(missing_ok=True)
    except OSError as error:
        log.error("switch_recording.not_removed", call_uuid=str(call_uuid), error=str(error))
        return False
    return True


def _fetch(domain_uuid: UUID, call_uuid: UUID, source: Path, moment: datetime) -> bool:
    relative = f"calls/{domain_uuid}/{moment:%Y-%m}/{call_uuid}-switch.wav"
    target = Path(settings.DATA_DIR) / relative
    half = target.with_suffix(".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, half)
        if not has_end(half):
            give_end(half)
        with wave.open(str(half)) as file:  # a file that was cut off in its first second plays nowhere
            frames = file.getnframes()
        half.replace(target)
    except (OSError, EOFError, wave.Error) as error:
        half.unlink(missing_ok=True)
        log.error("switch_recording.not_fetched", call_uuid=str(call_uuid), error=str(error))
        if isinstance(error, OSError):
            return False  # a full disk, a mount that is away: tried again
        _set(domain_uuid, call_uuid, RecordingState.MISSING)
        return False
    if not _set(domain_uuid, call_uuid, RecordingState.STORED, recording=relative):
        target.unlink(missing_ok=True)  # the call was erased meanwhile
    forget(domain_uuid=domain_uuid, call_uuid=call_uuid)
    log.info("switch_recording.fetched", call_uuid=str(call_uuid), frames=frames)
    return True


def _set(domain_uuid: UUID, call_uuid: UUID, state: RecordingState, **more: str) -> bool:
    with tenant_context(domain_uuid):
        return bool(
            Call.objects.filter(pk=call_uuid, recording_state=RecordingState.WAITING).update(
                recording_state=state, updated_at=timezone.now(), **more
            )
        )
