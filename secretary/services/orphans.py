"""Files that no row knows: of a domain that was deleted, of a node that died before its record was written."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import Q

from secretary.models import Call, CallerRequest, Message
from tenants import audit
from tenants.context import platform_context, tenant_context

log = structlog.get_logger(__name__)

BATCH: Final = 500
LONGEST_S: Final = 90.0
FOLDERS: Final = {"calls": ".wav", "exports": ".zip"}
"""What lies below DATA_DIR by domain, and how its files end. Nothing else is looked at."""


def sweep_orphans(now: float | None = None, *, longest_s: float = LONGEST_S) -> int:
    """Delete files older than ORPHANS_KEPT_DAYS that no row of their domain names. Returns how many.

    `now`: seconds since 1970, as files are dated.
    """
    until = time.monotonic() + longest_s
    oldest = (time.time() if now is None else now) - timedelta(days=settings.ORPHANS_KEPT_DAYS).total_seconds()
    removed = 0
    for folder, ending in FOLDERS.items():
        domains = list(_domains(Path(settings.DATA_DIR) / folder))
        random.shuffle(domains)
        for domain_uuid, path in domains:
            batch: list[Path] = []
            for file in _old_files(path, ending, oldest):
                batch.append(file)
                if len(batch) == BATCH:
                    removed += _remove_unknown(domain_uuid, batch)
                    batch = []
                if time.monotonic() > until:
                    break
            if batch:
                removed += _remove_unknown(domain_uuid, batch)
            if time.monotonic() > until:
                return removed
    return removed


def _domains(root: Path) -> Iterator[tuple[UUID, Path]]:
    if not root.is_dir():
        return
    for entry in os.scandir(root):
        try:
            domain_uuid = UUID(entry.name)
        except ValueError:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield domain_uuid, Path(entry.path)


def _old_files(root: Path, ending: str, oldest: float) -> Iterator[Path]:
    for folder, _, names in os.walk(root):  # does not follow links
        for name in names:
            path = Path(folder, name)
            if not name.endswith(ending) or path.is_symlink():
                continue
            try:
                old = path.stat().st_mtime < oldest
            except OSError:
                continue
            if old:
                yield path


def _remove_unknown(domain_uuid: UUID, batch: list[Path]) -> int:
    root = Path(settings.DATA_DIR)
    by_name = {str(path.relative_to(root)): path for path in batch}
    unknown = set(by_name) - _known(domain_uuid, list(by_name))
    removed = 0
    for name in sorted(unknown):
        try:
            by_name[name].unlink(missing_ok=True)
        except OSError as error:
            log.error("file.not_removed", path=name, error=str(error))
            continue
        removed += 1
        log.warning("orphan.removed", path=name)
    if removed:
        with platform_context():
            subject = audit.Subject("files", str(domain_uuid), "orphans")
            audit.log("orphans.removed", subject, new={"count": removed, "names": sorted(unknown)[:20]})
    return removed


def _known(domain_uuid: UUID, names: list[str]) -> set[str]:
    """Those that a row of the domain names. By the call's UUID, which every name begins with: that has an index."""
    uuids = [uuid for name in names if (uuid := _uuid_in(name)) is not None]
    with tenant_context(domain_uuid):
        calls = Call.objects.filter(pk__in=uuids).exclude(recording="").values_list("recording", flat=True)
        of_calls = Q(call_id__in=uuids) | Q(call__isnull=True, audio__in=names)
        messages = Message.objects.filter(of_calls).exclude(audio="").values_list("audio", flat=True)
        exports = CallerRequest.objects.filter(pk__in=uuids).exclude(path="").values_list("path", flat=True)
        return {*calls, *messages, *exports}


def _uuid_in(name: str) -> UUID | None:
    try:
        return UUID(Path(name).name[:36])
    except ValueError:
        return None
