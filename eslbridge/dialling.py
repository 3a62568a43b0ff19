"""Asking the policy: the facts of a domain and a call, the decision, and what is written down of it.

    decision = dialling.ask(domain_uuid=..., number=..., kind=..., call_uuid=..., job_uuid=...)
    if not decision.allowed: ...           # decision.reason, decision.detail
    switch.uuid_transfer(..., decision.dialled)

`ask` counts: of twenty transfers that are asked for at once, as many are allowed as the limits say. Asked again for the
same job (by the worker, before it sends) it judges the same dial anew and counts it once. `weigh` only judges.

What is known about calls, minutes and stored destinations is the product's; it is reached through the setting
ESLBRIDGE_DIAL_FACTS, the dotted path of `dial_facts(*, domain_uuid, call_uuid, secretary_uuid, number) -> DialFacts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

import phonenumbers
from django.conf import settings
from django.db import connection
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.module_loading import import_string

from eslbridge.models import DialAttempt, DialRules, Job, JobKind
from eslbridge.policy import Decision, DestinationKind, Dial, Moment, Rules, decide, form_of
from eslbridge.policy.numbers import FALLBACK_COUNTRY
from tenants import audit
from tenants.context import tenant_context
from tenants.models import Domain
from tenants.models.domain import Language
from tenants.quotas import rules_of as data_rules_of

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
RULE_FIELDS: Final = (
    "country", "area_code", "outside_prefix", "dial_as", "internal_digits", "external_allowed", "allowed_countries",
    "allowed_prefixes", "blocked_prefixes", "own_numbers", "toll_allow", "per_call", "external_per_hour",
    "external_per_day",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DialFacts:
    """What the product knows about a wish to dial."""

    listed: bool = False
    """An enabled external destination has exactly this number."""
    allow_list: tuple[str, ...] = ()
    """Of the secretary who wants to dial."""
    allow_list_only: bool = False
    toll_allow: frozenset[str] | None = None
    """The caller's."""
    visited: frozenset[str] = frozenset()
    """8XXX where the call has been."""
    calls: int | None = None
    max_calls: int | None = None
    seconds_left: float | None = None


class GatherFacts(Protocol):
    def __call__(
        self, *, domain_uuid: UUID, call_uuid: UUID | None, secretary_uuid: UUID | None, number: str
    ) -> DialFacts: ...


def country_of(domain: Domain) -> str:
    """Where a domain's numbers are at home when its dial rules do not say: by its telephone country code."""
    code = data_rules_of().country_code or ("55" if domain.language == Language.BRAZILIAN_PORTUGUESE else "1")
    region = phonenumbers.region_code_for_country_code(int(code))
    return region if region not in (None, "ZZ", "001") else FALLBACK_COUNTRY


def rules_of() -> Rules:
    """The dial rules of the active tenant, as the policy takes them."""
    row = DialRules.objects.first() or DialRules()
    return row.as_rules("" if row.country else country_of(Domain.objects.get()))


def save_rules(*, domain_uuid: UUID, **changes: Any) -> DialRules:
    """Change what a domain's secretaries may dial. Raises Domain.DoesNotExist, ValidationError."""
    with tenant_context(domain_uuid):
        domain = Domain.objects.select_for_update(no_key=True).get()
        row = DialRules.objects.first() or DialRules(domain=domain)
        before = audit.before(row)
        for name, value in changes.items():
            setattr(row, name, value)
        row.full_clean()
        row.save()
        audit.saved(row, before, label=domain.name)
    return row


def weigh(
    *, domain_uuid: UUID, number: str, kind: str, enabled: bool = True, listed: bool | None = None,
    new_call: bool = False, call_uuid: UUID | None = None, secretary_uuid: UUID | None = None,
    rules: Rules | None = None,
) -> Decision:  # fmt: skip
    """Judge without counting, and without the limits: may this be dialled at all? For forms, previews and lists.

    `rules` are those of the domain, where they are at hand. `listed` true: an administrator has set this number down
    for this very purpose, which is as good as any list; None: looked up.
    """
    with tenant_context(domain_uuid):
        outside = kind == DestinationKind.EXTERNAL or call_uuid is not None
        facts = _facts(domain_uuid, call_uuid, secretary_uuid, number) if outside else DialFacts()
        known = Moment(visited=facts.visited)
        return decide(_dial(number, kind, enabled, listed, new_call, facts, rules or rules_of(), known))


def ask(
    *, domain_uuid: UUID, number: str, kind: str, enabled: bool = True, listed: bool | None = None,
    new_call: bool = False, call_uuid: UUID | None = None, secretary_uuid: UUID | None = None,
    job_uuid: UUID | None = None, now: datetime | None = None, rules: Rules | None = None,
) -> Decision:  # fmt: skip
    """Judge, count and write down. Whoever refuses by an exception does so outside of this transaction, or the refusal
    is not on record. `listed` None: looked up; `rules` are those of the domain, where they are at hand."""
    moment = now or timezone.now()
    with tenant_context(domain_uuid):
        facts = _facts(domain_uuid, call_uuid, secretary_uuid, number)
        rules = rules or rules_of()
        _one_at_a_time(domain_uuid, call_uuid, kind)
        known = _so_far(facts, call_uuid, job_uuid, kind, moment)
        earlier = DialAttempt.objects.filter(job_uuid=job_uuid).first() if job_uuid is not None else None
        if earlier is not None and earlier.number != number and form_of(earlier.number, rules) == number:
            # The job carries the form that we gave for what was wanted: that is what is judged.
            number = earlier.number
            facts = _facts(domain_uuid, call_uuid, secretary_uuid, number)
        decision = decide(_dial(number, kind, enabled, listed, new_call, facts, rules, known))
        _keep(decision, earlier, number, kind, call_uuid, secretary_uuid, job_uuid)
    return decision


def kind_of(*, domain_uuid: UUID, number: str) -> tuple[DestinationKind, Decision]:
    """What a number is that an administrator has stored as it is dialled: inside the domain, or outside; and whether
    it may be dialled at all."""
    inside = weigh(domain_uuid=domain_uuid, number=number, kind=DestinationKind.VOICEMAIL)
    if inside.reason != "looks_external":
        return DestinationKind.VOICEMAIL, inside
    return DestinationKind.EXTERNAL, weigh(
        domain_uuid=domain_uuid, number=number, kind=DestinationKind.EXTERNAL, listed=True
    )


def ask_for(job: Job) -> Decision:
    """The worker's question, at the last moment before the switch hears of a job.

    Only a transfer or an originate dials. The number is the job's, whatever it was when the job was made.
    """
    return ask(
        domain_uuid=job.domain_uuid,
        number=job.argument("number"),
        kind=job.argument("kind") or DestinationKind.EXTENSION,
        new_call=job.kind == JobKind.ORIGINATE,
        call_uuid=job.call_uuid,
        secretary_uuid=job.secretary_uuid,
        job_uuid=job.job_uuid,
    )


def _dial(
    number: str, kind: str, enabled: bool, listed: bool | None, new_call: bool, facts: DialFacts, rules: Rules,
    moment: Moment,
) -> Dial:  # fmt: skip
    return Dial(
        number=number,
        kind=kind,
        enabled=enabled,
        listed=facts.listed if listed is None else listed,
        allow_list=facts.allow_list,
        allow_list_only=facts.allow_list_only and not listed,
        new_call=new_call,
        toll_allow=facts.toll_allow,
        rules=rules,
        moment=moment,
    )


def _facts(domain_uuid: UUID, call_uuid: UUID | None, secretary_uuid: UUID | None, number: str) -> DialFacts:
    gather: GatherFacts = import_string(settings.ESLBRIDGE_DIAL_FACTS)
    return gather(domain_uuid=domain_uuid, call_uuid=call_uuid, secretary_uuid=secretary_uuid, number=number)


def _one_at_a_time(domain_uuid: UUID, call_uuid: UUID | None, kind: str) -> None:
    """Locks until the end of the transaction, always in this order: the call, then the domain's public numbers.

    Transfers inside a domain do not wait for each other.
    """
    names = [f"dials:{call_uuid}"] if call_uuid is not None else []
    if kind == DestinationKind.EXTERNAL:
        names.append(f"dials:{domain_uuid}")
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def _so_far(facts: DialFacts, call_uuid: UUID | None, job_uuid: UUID | None, kind: str, now: datetime) -> Moment:
    others = DialAttempt.objects.filter(allowed=True)
    if job_uuid is not None:
        others = others.exclude(job_uuid=job_uuid)
    in_call = None
    visited = facts.visited
    if call_uuid is not None:
        of_call = list(others.filter(call_uuid=call_uuid).values_list("kind", "number")[:2_000])
        in_call = len(of_call)
        visited |= {number for what, number in of_call if what == DestinationKind.SECRETARY}
    hour = day = None
    if kind == DestinationKind.EXTERNAL:
        counts = others.filter(created_at__gt=now - DAY).exclude(e164="").aggregate(
            hour=Count("pk", filter=Q(created_at__gt=now - HOUR)), day=Count("pk")
        )  # fmt: skip
        hour, day = counts["hour"], counts["day"]
    return Moment(
        in_call=in_call,
        external_hour=hour,
        external_day=day,
        calls=facts.calls,
        max_calls=facts.max_calls,
        seconds_left=facts.seconds_left,
        visited=visited,
    )


def _keep(
    decision: Decision, earlier: DialAttempt | None, number: str, kind: str, call_uuid: UUID | None,
    secretary_uuid: UUID | None, job_uuid: UUID | None,
) -> None:  # fmt: skip
    """Asked again, what has not changed is not written again: the worker's question costs no write."""
    values: dict[str, Any] = {
        "call_uuid": call_uuid,
        "secretary_uuid": secretary_uuid,
        "kind": kind[:16],
        "number": "".join(letter if letter.isprintable() else " " for letter in number)[:64],
        "e164": decision.e164,
        "region": decision.region,
        "allowed": decision.allowed,
        "reason": decision.reason,
        "detail": decision.detail[:200],
    }
    if earlier is None:
        DialAttempt.objects.create(**values, job_uuid=job_uuid)
    elif any(getattr(earlier, name) != value for name, value in values.items()):
        DialAttempt.objects.filter(pk=earlier.pk).update(**values, updated_at=timezone.now())
