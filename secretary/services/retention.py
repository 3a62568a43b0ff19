"""Forgetting: what a domain keeps for so many days, and no longer.

First the file, then its row, in batches of one transaction each. A crash between the two leaves a row without a file,
which the next run finds and finishes; the other order would leave a file that no row knows. The line in the domain's
record that proves the purge is written in the transaction of the rows.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.db.models import Q
from django.utils import timezone

from eslbridge.models import DialAttempt
from secretary.models import Call, CallEvent, Message, RecordingState, Utterance
from secretary.services import callback_data, files, switch_recordings
from secretary.tools.models import CallerFact
from secretary.webhooks.models import WebhookEvent
from tenants import audit
from tenants.context import platform_context, tenant_context
from tenants.models import DataRules

log = structlog.get_logger(__name__)

BATCH: Final = 500
LONGEST_S: Final = 90.0
"""How long one run may take; Celery ends tasks after 120 s. The next run goes on where this one stopped."""

Purge = Callable[[datetime], int]
"""Deletes a batch of what is older; returns how many. Inside the tenant."""


def forget_old_data(now: datetime | None = None, *, longest_s: float = LONGEST_S) -> dict[str, int]:
    """Delete what is older than its domain's rules say, in all domains. Returns how many of each kind."""
    moment, until = now or timezone.now(), time.monotonic() + longest_s
    with platform_context():
        rows = list(DataRules.objects.values_list("domain_id", *(f"{kind}_days" for kind in PURGES)))
    random.shuffle(rows)  # so that no domain always comes last
    done = dict.fromkeys(PURGES, 0)
    for domain_uuid, *days in rows:
        for kind, kept in zip(PURGES, days, strict=True):
            if kept is not None:
                done[kind] += _purge(domain_uuid, kind, moment - timedelta(days=kept), until)
    if any(done.values()):
        log.info("retention.purged", **done)
    return done


def _purge(domain_uuid: UUID, kind: str, before: datetime, until: float) -> int:
    total = 0
    while time.monotonic() < until:
        with tenant_context(domain_uuid):
            gone = PURGES[kind](before)
            if gone:
                subject = audit.Subject("retention", str(domain_uuid), kind)
                audit.log("retention.purged", subject, new={"kind": kind, "count": gone, "older_than": before})
        total += gone
        if gone < BATCH:
            break
    return total


def _recordings(before: datetime) -> int:
    recorded = ~Q(recording="") | Q(recording_state=RecordingState.WAITING)
    rows = Call.objects.filter(recorded, ended_at__lt=before).order_by("ended_at")
    locked = rows.select_for_update(of=("self",), skip_locked=True)
    gone = []
    for key, domain_uuid, path, state in locked.values_list("pk", "domain_id", "recording", "recording_state")[:BATCH]:
        waiting = state == RecordingState.WAITING
        if files.remove(path) and (not waiting or switch_recordings.forget(domain_uuid=domain_uuid, call_uuid=key)):
            gone.append(key)
    return Call.objects.filter(pk__in=gone).update(recording="", recording_state=RecordingState.NONE) if gone else 0


def _messages(before: datetime) -> int:
    # What was told to webhooks holds the message's words, too.
    WebhookEvent.objects.filter(pk__in=_oldest(WebhookEvent, "occurred_at", before, type="message.created")).delete()
    rows = Message.objects.filter(created_at__lt=before).order_by("created_at")
    gone = _without_files(rows.select_for_update(of=("self",), skip_locked=True).values_list("pk", "audio")[:BATCH])
    return max(callback_data.purge(before, BATCH), _delete(Message, gone))


def _transcripts(before: datetime) -> int:
    # What was made of the words goes with them.
    told = Call.objects.filter(ended_at__lt=before).exclude(summary="", facts={}).order_by("ended_at")
    keys = list(told.values_list("pk", flat=True)[:BATCH])
    cleared = Call.objects.filter(pk__in=keys).update(summary="", facts={}) if keys else 0
    return max(cleared, _delete(Utterance, _oldest(Utterance, "created_at", before)))


def _facts(before: datetime) -> int:
    return _delete(CallerFact, _oldest(CallerFact, "created_at", before))


def _events(before: datetime) -> int:
    told = _delete(WebhookEvent, _oldest(WebhookEvent, "occurred_at", before))
    jobs = callback_data.purge_jobs(before, BATCH)
    dials = _delete(DialAttempt, _oldest(DialAttempt, "created_at", before))
    return max(told, jobs, dials, _delete(CallEvent, _oldest(CallEvent, "created_at", before)))


PURGES: Final[dict[str, Purge]] = {
    "transcripts": _transcripts,
    "recordings": _recordings,
    "messages": _messages,
    "events": _events,
    "facts": _facts,
}


def _without_files(rows: Iterable[tuple[Any, str]]) -> list[Any]:
    """Delete the rows' files; the keys of those whose file is gone."""
    return [key for key, path in rows if files.remove(path)]


def _oldest(model: type[Any], field: str, before: datetime, **about: Any) -> list[Any]:
    rows = model.objects.filter(**{f"{field}__lt": before}, **about).order_by(field)
    return list(rows.values_list("pk", flat=True)[:BATCH])


def _delete(model: type[Any], keys: list[Any]) -> int:
    if not keys:
        return 0
    _, by_model = model.objects.filter(pk__in=keys).delete()
    return int(by_model.get(model._meta.label, 0))
