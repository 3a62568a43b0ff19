"""What is remembered of callers: written by a secretary's tool, shown at the next call from the number, erasable.

A domain switches it on (`DataRules.remember_callers`); its rules also say for how many days, and what is never kept.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import transaction

from secretary.redaction import redact
from secretary.selectors.caller_data import country_code
from secretary.selectors.data_rules import redaction_of
from secretary.services import clean
from secretary.services.numbers import digits_of, normal
from secretary.tools.models import CallerFact
from secretary.tools.models.caller_fact import MAX_FACT, MAX_PER_CALLER
from tenants import audit
from tenants.context import tenant_context
from tenants.quotas import rules_of

SHORTEST: Final = 2
"""Digits of a number: a caller without one is nobody in particular."""


class NotRemembered(Exception):
    """`reason` in one word: `switched_off`, `unknown_caller`, `empty`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def remember(*, domain_uuid: UUID, number: str, text: str, call_uuid: UUID | None = None) -> CallerFact:
    """Keep a fact about whoever calls from a number; the same one again is only renewed. Raises NotRemembered."""
    with tenant_context(domain_uuid):
        if not rules_of().remember_callers:
            raise NotRemembered("switched_off")
        caller = key_of(number)
        if not caller:
            raise NotRemembered("unknown_caller")
        kept = clean.line(redact(clean.text(text), redaction_of()), MAX_FACT)
        if not kept:
            raise NotRemembered("empty")
        CallerFact.objects.filter(number=caller, text__iexact=kept).delete()
        fact = CallerFact(number=caller, text=kept, call_uuid=call_uuid)
        fact.save(force_insert=True)
        old = CallerFact.objects.filter(number=caller).order_by("-created_at", "-pk")
        surplus = list(old.values_list("pk", flat=True)[MAX_PER_CALLER:])
        CallerFact.objects.filter(pk__in=surplus).delete()
    return fact


def known(number: str) -> tuple[str, ...]:
    """What is remembered of whoever calls from a number, the newest first. Inside the tenant."""
    if not digits_of(number) or not rules_of().remember_callers:
        return ()
    caller = key_of(number)
    if not caller:
        return ()
    facts = CallerFact.objects.filter(number=caller).order_by("-created_at", "-pk")
    return tuple(facts.values_list("text", flat=True)[:MAX_PER_CALLER])


def key_of(number: str) -> str:
    """A number as facts are kept by it; empty where there is none. Inside the tenant."""
    if len(digits_of(number)) < SHORTEST:
        return ""
    return normal(number, country_code())[:24]


@transaction.atomic
def forget(*, fact_uuid: UUID) -> None:
    """Erase one fact. Inside the tenant. Raises DoesNotExist."""
    fact = CallerFact.objects.get(pk=fact_uuid)
    # The record says that something was forgotten, not what.
    audit.log("callerfact.deleted", audit.Subject("callerfact", str(fact.pk)))
    fact.delete()


@transaction.atomic
def forget_caller(*, number: str) -> int:
    """Erase all that is remembered of one caller. Inside the tenant. Returns how many facts."""
    caller = key_of(number)
    gone = CallerFact.objects.filter(number=caller).delete()[0] if caller else 0
    audit.log("callerfact.deleted", audit.Subject("callerfact"), new={"count": gone})
    return gone
