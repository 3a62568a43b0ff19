"""Reads: all that is kept of one caller. Inside a tenant."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.db.models import CharField, F, Func, Q, QuerySet, Value

from eslbridge.models import DialAttempt, Job, JobKind
from secretary.models import Call, Callback, CallerRequest, Message
from secretary.services.numbers import ending, normal
from secretary.tools.models import CallerFact
from tenants.models import Domain
from tenants.models.domain import Language
from tenants.quotas import rules_of

MOST_CALLS: Final = 20_000
"""Of one caller, that are looked at."""
MOST_REQUESTS: Final = 50


def country_code() -> str:
    """Of numbers that are shown without one."""
    return rules_of().country_code or country_of(Domain.objects.get().language)


def country_of(language: str) -> str:
    """The country code that goes with a domain's language."""
    return "55" if language == Language.BRAZILIAN_PORTUGUESE else "1"


def calls_of(number: str) -> list[UUID]:
    """The calls of a number, however it was written, the oldest first."""
    return _matching(Call.objects.order_by("started_at"), number)


def messages_of(number: str) -> list[UUID]:
    """The messages that carry the number, shown or given: also of calls that are gone."""
    rows = Message.objects.order_by("created_at")
    given = _matching(rows.exclude(given_number=""), number, field="given_number")
    return list(dict.fromkeys([*_matching(rows, number), *given]))


def callbacks_of(number: str) -> list[UUID]:
    """The callbacks that were to reach the number."""
    return _matching(Callback.objects.order_by("created_at"), number, field="number")


def jobs_of(number: str) -> list[UUID]:
    """The jobs that dialled the number, as the first or the second one."""
    rows = Job.objects.filter(kind=JobKind.ORIGINATE).order_by("created_at")
    wanted = normal(number, country := country_code())
    if not wanted:
        return []
    likely = rows.filter(Q(arguments__to__endswith=ending(number)) | Q(arguments__number__endswith=ending(number)))
    return [
        job.pk
        for job in likely[:MOST_CALLS]
        if wanted in (normal(job.argument("to"), country), normal(job.argument("number"), country))
    ]


def dials_of(number: str) -> list[UUID]:
    """What was asked of the dialling policy about the number."""
    return _matching(DialAttempt.objects.order_by("created_at"), number, field="number")


def facts_of(number: str) -> QuerySet[CallerFact]:
    """What secretaries remember of the number."""
    return CallerFact.objects.filter(number=normal(number, country_code())[:24]).exclude(number="")


def _matching(rows: QuerySet[Any], number: str, *, field: str = "caller_number") -> list[UUID]:
    country = country_code()
    wanted = normal(number, country)
    if not wanted:
        return []
    plain = Func(F(field), Value(r"\D"), Value(""), Value("g"), function="regexp_replace", output_field=CharField())
    likely = rows.annotate(plain_number=plain).filter(plain_number__endswith=ending(number))
    found = likely.values_list("pk", field)[:MOST_CALLS]
    return [key for key, caller in found if normal(caller, country) == wanted]


def list_requests() -> list[CallerRequest]:
    """The latest requests about callers."""
    return list(CallerRequest.objects.all()[:MOST_REQUESTS])


def get_request(*, request_uuid: UUID) -> CallerRequest | None:
    return CallerRequest.objects.filter(pk=request_uuid).first()
