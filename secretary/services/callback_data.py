"""Callbacks as a caller's data: how long they are kept, given out and erased. Inside a tenant."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from eslbridge.models import DialAttempt, Job, JobKind
from eslbridge.models.job import FINAL
from secretary.models import Callback, CallbackState
from secretary.selectors import caller_data
from secretary.webhooks.models import WebhookEvent

EXPORTED: Final = (
    "callback_uuid", "call_id", "number", "name", "reason", "consent_at", "consent_how", "consent_by", "not_before",
    "not_after", "state", "attempts", "outcome", "outcome_detail", "created_at", "finished_at",
)  # fmt: skip
ATTEMPT: Final = ("position", "outcome", "leg", "cause", "created_at", "ended_at")


def purge(before: datetime, most: int) -> int:
    """Delete what has been over since then, with what webhooks were told of it. Returns how many."""
    rows = Callback.objects.filter(finished_at__lt=before).exclude(
        state__in=(CallbackState.WAITING, CallbackState.RUNNING)
    )
    return _delete(list(rows.order_by("finished_at").values_list("pk", flat=True)[:most]))["callbacks"]


def purge_jobs(before: datetime, most: int) -> int:
    """Delete jobs that have been over since then: dialled numbers stand in them."""
    old = Job.objects.filter(state__in=FINAL, finished_at__lt=before).order_by("finished_at")
    keys = list(old.values_list("pk", flat=True)[:most])
    return Job.objects.filter(pk__in=keys).delete()[1].get(Job._meta.label, 0) if keys else 0


def of_number(number: str, call_uuids: list[UUID]) -> list[UUID]:
    """The callbacks of a number, and those asked for in its calls."""
    asked = Callback.objects.filter(call_id__in=call_uuids).values_list("pk", flat=True)
    return list(dict.fromkeys([*caller_data.callbacks_of(number), *asked]))


def exported(uuids: list[UUID]) -> list[dict[str, Any]]:
    """All that is kept of these callbacks."""
    return [
        {
            **{name: getattr(row, name) for name in EXPORTED},
            "history": [{name: getattr(one, name) for name in ATTEMPT} for one in row.history.all()],
        }
        for row in Callback.objects.filter(pk__in=uuids).prefetch_related("history").order_by("created_at")
    ]


def erase(number: str, call_uuids: list[UUID]) -> tuple[dict[str, int], int]:
    """Erase a caller's callbacks, and the jobs that dialled the number. What is ringing stays, and is counted.

    Returns how many of what is gone, and how many are going on.
    """
    uuids = of_number(number, call_uuids)
    going_on = set(Callback.objects.filter(pk__in=uuids, state=CallbackState.RUNNING).values_list("pk", flat=True))
    gone = _delete([uuid for uuid in uuids if uuid not in going_on])
    dialled = Job.objects.filter(pk__in=caller_data.jobs_of(number), kind=JobKind.ORIGINATE, state__in=FINAL)
    gone["jobs"] += dialled.delete()[1].get(Job._meta.label, 0)
    DialAttempt.objects.filter(Q(pk__in=caller_data.dials_of(number)) | Q(call_uuid__in=call_uuids)).delete()
    return gone, len(going_on)


def _delete(uuids: list[UUID]) -> dict[str, int]:
    texts = [str(uuid) for uuid in uuids]
    jobs = Job.objects.filter(kind=JobKind.ORIGINATE, arguments__callback_uuid__in=texts).filter(Q(state__in=FINAL))
    events = WebhookEvent.objects.filter(payload__callback_uuid__in=texts)
    return {
        "webhook_events": events.delete()[1].get(WebhookEvent._meta.label, 0) if texts else 0,
        "jobs": jobs.delete()[1].get(Job._meta.label, 0) if texts else 0,
        "callbacks": Callback.objects.filter(pk__in=uuids).delete()[1].get(Callback._meta.label, 0) if texts else 0,
    }
