"""Erasing one caller: calls, words, sound, messages, what is remembered, what webhooks were told, telephone jobs.

The figures of usage stay, without the call: they say how long somebody spoke, not who. A call that is still going on
stays, too, and is counted, so that it can be asked for again. First the files, then the rows: see `retention`.
"""

from __future__ import annotations

from collections import Counter
from typing import Final
from uuid import UUID

from django.db.models import Q

from eslbridge.models import Job
from secretary.models import Call, CallOutcome, Message
from secretary.selectors import caller_data
from secretary.services import callback_data, files, switch_recordings
from secretary.webhooks.models import WebhookEvent
from tenants.context import tenant_context

BATCH: Final = 100


class NotErased(Exception):
    """A file could not be deleted; its row is still there, and the whole can be asked for again."""


def erase(*, domain_uuid: UUID, request_uuid: UUID, number: str) -> tuple[dict[str, object], str]:
    """Erase in batches of a transaction each. Returns how many of what is gone, and no path. Raises NotErased."""
    from secretary.services.caller_requests import drop_exports

    gone: Counter[str] = Counter(
        calls=0, messages=0, recordings=0, webhook_events=0, jobs=0, exports=0, facts=0, callbacks=0
    )
    stuck = 0
    with tenant_context(domain_uuid):
        # Whose they are nobody knows any more; they can be made again.
        gone["exports"] = drop_exports(~Q(pk=request_uuid))
        everything = caller_data.calls_of(number)
        going_on = set(
            Call.objects.filter(pk__in=everything, outcome=CallOutcome.IN_PROGRESS).values_list("pk", flat=True)
        )
    call_uuids = [uuid for uuid in everything if uuid not in going_on]
    for begin in range(0, len(call_uuids), BATCH):
        with tenant_context(domain_uuid):
            stuck += _erase_calls(domain_uuid, call_uuids[begin : begin + BATCH], gone)
    with tenant_context(domain_uuid):
        rest = Message.objects.filter(pk__in=caller_data.messages_of(number)).exclude(call_id__in=going_on)
        stuck += _erase_messages(Q(pk__in=list(rest.values_list("pk", flat=True))), gone)
        gone["facts"] = caller_data.facts_of(number).delete()[0]
        called_back, being_called = callback_data.erase(number, call_uuids)
        gone.update(called_back)
    if stuck:
        raise NotErased(f"{stuck} files could not be deleted")
    return {**gone, "calls_going_on": len(going_on) + being_called}, ""


def _erase_calls(domain_uuid: UUID, batch: list[UUID], gone: Counter[str]) -> int:
    stuck = _erase_messages(Q(call_id__in=batch), gone)
    rows = Call.objects.filter(pk__in=batch).select_for_update(of=("self",)).values_list("pk", "recording")
    erasable = []
    for key, recording in rows:
        if files.remove(recording) and switch_recordings.forget(domain_uuid=domain_uuid, call_uuid=key):
            erasable.append(key)
            gone["recordings"] += bool(recording)
        else:
            stuck += 1
    texts = [str(uuid) for uuid in erasable]
    gone["webhook_events"] += (
        WebhookEvent.objects.filter(payload__call_uuid__in=texts).delete()[1].get(WebhookEvent._meta.label, 0)
    )
    gone["jobs"] += Job.objects.filter(call_uuid__in=erasable).delete()[1].get(Job._meta.label, 0)
    gone["calls"] += Call.objects.filter(pk__in=erasable).delete()[1].get(Call._meta.label, 0)
    return stuck


def _erase_messages(which: Q, gone: Counter[str]) -> int:
    stuck, erasable = 0, []
    for key, audio in Message.objects.filter(which).select_for_update(of=("self",)).values_list("pk", "audio"):
        if files.remove(audio):
            erasable.append(key)
            gone["recordings"] += bool(audio)
        else:
            stuck += 1
    texts = [str(uuid) for uuid in erasable]
    gone["webhook_events"] += (
        WebhookEvent.objects.filter(payload__message_uuid__in=texts).delete()[1].get(WebhookEvent._meta.label, 0)
    )
    gone["messages"] += Message.objects.filter(pk__in=erasable).delete()[1].get(Message._meta.label, 0)
    return stuck
