"""Requests about one caller: asked for in the panel, done by a worker, forgotten afterwards.

The row is the job: whoever finds it waiting may do it, and doing it twice does no harm. The record of changes says who
asked, when, and how many things were found; neither number nor name.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from secretary.models import CallerRequest, CallerRequestKind, CallerRequestState
from secretary.services import caller_erasure, caller_export, files
from secretary.services.numbers import digits_of
from tenants import audit
from tenants.context import platform_context, tenant_context
from tenants.origin import current_actor

log = structlog.get_logger(__name__)

ATTEMPTS: Final = 3
AGAIN_AFTER: Final = timedelta(seconds=150)
"""Longer than a task may take: an attempt that old has lost its worker."""
BATCH: Final = 10
SHORTEST: Final = 2


def ask(*, kind: str, number: str) -> CallerRequest:
    """Ask for a caller's data, or for its end. Inside the tenant. Raises ValidationError."""
    if not SHORTEST <= len(digits_of(number)) <= 20 or len(number) > 64:
        raise ValidationError({"number": _("Write a telephone number.")})
    request = CallerRequest(kind=kind, number=number.strip(), asked_by=current_actor().label)
    request.full_clean()
    request.save(force_insert=True)
    audit.log(f"caller.{kind}_asked", _subject(request))
    transaction.on_commit(kick)
    return request


def kick() -> None:
    """Have a worker look now; where the broker is out of reach, beat does within a minute."""
    from secretary.tasks import caller_requests

    try:
        caller_requests.apply_async()
    except Exception as error:  # kombu raises the transport's own errors, of many kinds
        log.warning("caller_requests.not_kicked", error=str(error)[:200])


def run_waiting() -> int:
    """Do what is waiting, in all tenants, and expire what is old. Returns how many requests were done."""
    now = timezone.now()
    with platform_context():
        waiting = CallerRequest.objects.filter(_claimable(now)).order_by("created_at")
        keys = list(waiting.values_list("domain_id", "request_uuid")[:BATCH])
    done = sum(_run(domain_uuid, request_uuid) for domain_uuid, request_uuid in keys)
    expire()
    return done


def _claimable(now: datetime) -> Q:
    fresh = Q(attempts=0) | Q(updated_at__lt=now - AGAIN_AFTER)
    return Q(state=CallerRequestState.WAITING) & fresh


def _run(domain_uuid: UUID, request_uuid: UUID) -> bool:
    now = timezone.now()
    with tenant_context(domain_uuid):
        mine = CallerRequest.objects.filter(_claimable(now), pk=request_uuid)
        if not mine.update(attempts=F("attempts") + 1, updated_at=now):
            return False  # another worker was quicker
        request = CallerRequest.objects.get(pk=request_uuid)
    work = caller_export.export if request.kind == CallerRequestKind.EXPORT else caller_erasure.erase
    try:
        found, path = work(domain_uuid=domain_uuid, request_uuid=request_uuid, number=request.number)
    except Exception as error:
        log.exception("caller_request.failed", request=str(request_uuid), kind=request.kind)
        if request.attempts >= ATTEMPTS:
            _finish(domain_uuid, request_uuid, CallerRequestState.FAILED, {"error": type(error).__name__}, "")
        return False
    _finish(domain_uuid, request_uuid, CallerRequestState.DONE, found, path)
    return True


def _finish(domain_uuid: UUID, request_uuid: UUID, state: str, found: dict[str, object], path: str) -> None:
    now = timezone.now()
    with tenant_context(domain_uuid):
        request = CallerRequest.objects.select_for_update(of=("self",)).get(pk=request_uuid)
        if request.state != CallerRequestState.WAITING:
            return
        request.state, request.found, request.path = state, found, path
        request.number, request.finished_at = "", now
        request.expires_at = now + timedelta(hours=settings.CALLER_EXPORTS_KEPT_H) if path else None
        request.save()
        done = "exported" if request.kind == CallerRequestKind.EXPORT else "erased"
        word = done if state == CallerRequestState.DONE else "given-up"
        audit.log(f"caller.{word}", _subject(request), new={"asked_by": request.asked_by, **found})


def expire() -> int:
    """Delete exports whose time is over: the file first, as everywhere. Returns how many."""
    with platform_context():
        old = CallerRequest.objects.filter(state=CallerRequestState.DONE, expires_at__lt=timezone.now())
        keys = list(old.exclude(path="").values_list("domain_id", "request_uuid")[:100])
    for domain_uuid, request_uuid in keys:
        with tenant_context(domain_uuid):
            drop_exports(Q(pk=request_uuid))
    return len(keys)


def drop_exports(which: Q) -> int:
    """Delete the files of exports, and say so in their rows. Inside the tenant."""
    rows = CallerRequest.objects.filter(which, kind=CallerRequestKind.EXPORT).exclude(path="")
    gone = [key for key, path in rows.values_list("pk", "path") if files.remove(path)]
    now = timezone.now()
    return CallerRequest.objects.filter(pk__in=gone).update(path="", state=CallerRequestState.EXPIRED, updated_at=now)


def _subject(request: CallerRequest) -> audit.Subject:
    return audit.Subject("callerrequest", str(request.pk), str(request.get_kind_display()))
