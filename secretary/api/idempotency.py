"""Idempotency-Key, as Stripe does it: the same request again gets the same answer, and nothing happens twice.

The answer is written in the transaction of what the request does, so that there is never one without the other; an
answer that is an error is not kept, because nothing was done. Two at once are told apart by a lock that PostgreSQL
drops with the transaction, however that ends: the second gets 409.

Kept for 24 h at least; `sweep` deletes what is older.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import orjson
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from secretary.api.models import IdempotentRequest, InstallationRequest, Remembered
from secretary.api.principal import Principal
from secretary.api.problems import Problem, invalid
from tenants.context import current_domain_uuid, platform_context

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
MAX_LENGTH: Final = 255
KEPT: Final = timedelta(hours=48)
CLAIM_LASTS: Final = timedelta(minutes=10)
SWEEP_BATCH: Final = 5_000
KEPT_HEADERS: Final = ("Location", "ETag")


def key_of(request: Request) -> str | None:
    """The request's key, or None. Raises Problem where it is unusable."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_LENGTH or not key.isascii() or not key.isprintable():
        raise invalid(HEADER, "invalid", _("1 to 255 printable ASCII characters are wanted."))
    return key


def fingerprint(request: Request) -> str:
    """What makes two requests the same: method, path and the values of the body, however they were written."""
    body = orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode() + body).hexdigest()


def once(
    request: Request, principal: Principal, key: str, act: Callable[[], Response], shown_once: tuple[str, ...] = ()
) -> Response:
    """Do it, or give the answer it had. Inside the context of its domain, or of the platform. Raises Problem.

    `shown_once` names members of the answer that are not kept: a repeated answer has null there.
    """
    model = InstallationRequest if current_domain_uuid() is None else IdempotentRequest
    row, replay = _find(model, request, principal, key)
    if replay is not None:
        return replay
    response = act()
    _keep(row, response, shown_once)
    return response


def once_in_steps(request: Request, principal: Principal, key: str, act: Callable[[], Response]) -> Response:
    """The same for a request of the installation that is several transactions. Outside of every context.

    Here the row is written first, as a claim, and gets its answer in the end. A claim whose process died is taken
    over after CLAIM_LASTS; the request must be one that may be done again from the beginning.
    """
    with platform_context():
        row, replay = _find(InstallationRequest, request, principal, key)
        if replay is not None:
            return replay
        row.save()
    try:
        response = act()
    except BaseException:
        with platform_context():
            row.delete()
        raise
    with platform_context():
        _keep(row, response, ())
    return response


def _find(
    model: type[Remembered], request: Request, principal: Principal, key: str
) -> tuple[Remembered, Response | None]:
    """The row for this request (perhaps a new one, not saved), and the answer it has. Locked from here on."""
    print_ = fingerprint(request)
    if not _lock(f"{model.__name__}:{current_domain_uuid()}:{principal.ident}:{key}"):
        raise Problem("in_progress", headers={"Retry-After": "1"})
    kept = model._default_manager.filter(principal=principal.ident, key=key).first()
    if kept is None:
        return model(principal=principal.ident, key=key, fingerprint=print_), None
    now = timezone.now()
    claimed = kept.status == 0
    if kept.created_at <= now - (CLAIM_LASTS if claimed else KEPT):
        kept.fingerprint, kept.created_at, kept.status = print_, now, 0
        return kept, None
    if kept.fingerprint != print_:
        raise Problem("idempotency_mismatch")
    if claimed:
        raise Problem("in_progress", headers={"Retry-After": "1"})
    headers = {**kept.headers, REPLAYED: "true"}
    return kept, Response(orjson.loads(kept.body) if kept.body else None, status=kept.status, headers=headers)


def _keep(row: Remembered, response: Response, shown_once: tuple[str, ...]) -> None:
    answer: Any = response.data
    if shown_once and isinstance(answer, dict):
        answer = {name: None if name in shown_once else value for name, value in answer.items()}
    row.status = response.status_code
    row.headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    row.body = orjson.dumps(answer, default=str).decode() if answer is not None else ""
    row.save()


def sweep() -> int:
    """Delete what is older than KEPT, in all tenants. Returns how many."""
    old = timezone.now() - KEPT
    deleted = 0
    with platform_context():
        for model in (IdempotentRequest, InstallationRequest):
            rows = model._default_manager.filter(created_at__lt=old).order_by("created_at")
            batch = list(rows.values_list("pk", flat=True)[:SWEEP_BATCH])
            deleted += model._default_manager.filter(pk__in=batch).delete()[0]
    return deleted


def _lock(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(hashtextextended(%s, 1))", [f"idempotency:{name}"])
        row = cursor.fetchone()
    return bool(row and row[0])
