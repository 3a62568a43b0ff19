"""All that is kept of one caller, as a ZIP: a JSON file a call and a message, and their sound."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import Q
from django.forms.models import model_to_dict

from eslbridge.models import DialAttempt, Job
from secretary.models import Call, Message
from secretary.selectors import caller_data
from secretary.services import callback_data, files
from secretary.webhooks.models import WebhookEvent
from tenants.context import tenant_context

BATCH: Final = 100
_CALL: Final = (
    "extension", "caller_number", "caller_name", "started_at", "answered_at", "ended_at", "outcome", "outcome_detail",
    "disclosure", "summary", "facts",
)  # fmt: skip
_MESSAGE: Final = (
    "caller_number", "caller_name", "given_name", "given_number", "reason", "urgency", "text", "complete", "read_at",
    "created_at",
)  # fmt: skip

_JOB: Final = ("job_uuid", "call_uuid", "kind", "arguments", "state", "outcome", "created_at", "finished_at")


def export(*, domain_uuid: UUID, request_uuid: UUID, number: str) -> tuple[dict[str, object], str]:
    """Write the ZIP. Returns how many of what it holds, and its path below DATA_DIR.

    It gets its name when it is whole: what a crash leaves behind is a file that the sweep of orphans knows.
    """
    name = f"exports/{domain_uuid}/{request_uuid}.zip"
    target = Path(settings.DATA_DIR) / name
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    unfinished = target.with_name(f"{request_uuid}-{uuid4().hex[:8]}.part.zip")
    try:
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), "wb") as raw:
            with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                found = _fill(archive, domain_uuid, number)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return found, name


def _fill(archive: zipfile.ZipFile, domain_uuid: UUID, number: str) -> dict[str, object]:
    with tenant_context(domain_uuid):
        call_uuids = caller_data.calls_of(number)
        message_uuids = caller_data.messages_of(number)
    recordings = events = 0
    for begin in range(0, len(call_uuids), BATCH):
        batch = call_uuids[begin : begin + BATCH]
        with tenant_context(domain_uuid):
            for call in Call.objects.filter(pk__in=batch).prefetch_related("utterances", "events"):
                _write(archive, f"calls/{call.pk}.json", _call(call))
                recordings += _add_sound(archive, call.recording, f"calls/{call.pk}.wav")
            told = [_event(row) for row in WebhookEvent.objects.filter(payload__call_uuid__in=[str(c) for c in batch])]
        for event in told:
            _write(archive, f"webhook-events/{event['event_uuid']}.json", event)
        events += len(told)
    messages = 0
    with tenant_context(domain_uuid):
        for message in Message.objects.filter(Q(pk__in=message_uuids) | Q(call_id__in=call_uuids)).iterator(BATCH):
            about = {"message_uuid": message.pk, "call_uuid": message.call_id}
            _write(archive, f"messages/{message.pk}.json", about | {name: getattr(message, name) for name in _MESSAGE})
            recordings += _add_sound(archive, message.audio, f"messages/{message.pk}.wav")
            messages += 1
        remembered = [
            {"fact": fact.text, "call_uuid": fact.call_uuid, "created_at": fact.created_at}
            for fact in caller_data.facts_of(number)
        ]
        called_back = callback_data.exported(callback_data.of_number(number, call_uuids))
        dialled = DialAttempt.objects.filter(pk__in=caller_data.dials_of(number)).order_by("created_at")
        dials = list(dialled.values("created_at", "number", "allowed", "reason", "call_uuid"))
        asked = Job.objects.filter(Q(pk__in=caller_data.jobs_of(number)) | Q(call_uuid__in=call_uuids))
        jobs = list(asked.order_by("created_at").values(*_JOB))
    if jobs:
        _write(archive, "jobs.json", jobs)
    if dials:
        _write(archive, "dialled.json", dials)
    for row in called_back:
        _write(archive, f"callbacks/{row['callback_uuid']}.json", row)
    if remembered:
        _write(archive, "remembered.json", remembered)
    counts: dict[str, object] = {
        "calls": len(call_uuids),
        "messages": messages,
        "recordings": recordings,
        "webhook_events": events,
        "facts": len(remembered),
        "callbacks": len(called_back),
        "jobs": len(jobs),
    }
    _write(archive, "about.json", {"number": number, **counts})
    return counts


def _call(call: Call) -> dict[str, Any]:
    return {
        "call_uuid": call.pk,
        **{name: getattr(call, name) for name in _CALL},
        "transcript": [
            model_to_dict(line, fields=("who", "text", "start_ms", "end_ms", "interrupted"))
            for line in call.utterances.all()
        ],
        "timeline": [model_to_dict(event, fields=("at_ms", "kind", "detail")) for event in call.events.all()],
    }


def _event(row: WebhookEvent) -> dict[str, Any]:
    return {"event_uuid": row.pk, "type": row.type, "occurred_at": row.occurred_at, "payload": row.payload}


def _write(archive: zipfile.ZipFile, name: str, value: object) -> None:
    archive.writestr(name, json.dumps(value, ensure_ascii=False, indent=1, default=str))


def _add_sound(archive: zipfile.ZipFile, relative: str, name: str) -> int:
    path = files.below(relative)
    if path is None or not path.is_file():
        return 0
    archive.write(path, name)
    return 1
