"""Writes: calls that the platform makes. Inside a tenant; each is a job that is born in the caller's transaction.

`click_to_call`     a person's own telephone rings, then the number they want
`to_secretary`      a telephone rings, and whoever answers talks to a secretary: she calls somebody, or an administrator
                    tries her out from the desk
`ring`              a telephone rings, and the leg waits under the job's UUID for whoever asked
"""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid4

from eslbridge import dialling, jobs
from eslbridge.models import Job, JobKind
from eslbridge.policy import DestinationKind, Rules
from secretary.errors import TransferRefused
from secretary.models import ExtensionMapping, Secretary
from secretary.services.callbacks import kind_of
from secretary.services.calling_rules import calling_rules_of
from secretary.services.placing import to_second
from tenants import audit

PERSONAL: Final = frozenset({"number", "to", "name", "shown_number", "shown_name", "caller_number", "caller_name"})
"""Arguments of jobs that say whom it is about."""


def click_to_call(*, domain_uuid: UUID, phone: str, number: str, name: str = "") -> Job:
    """Ring an extension of the domain, and connect whoever answers with a number, by the domain's own dialplan.

    The first telephone is always inside: two numbers outside would make the domain somebody's telephone exchange.
    Raises TransferRefused with the policy's word.
    """
    number, dial_rules = _plain(number), dialling.rules_of()
    first = dialling.weigh(
        domain_uuid=domain_uuid, number=phone, kind=DestinationKind.EXTENSION, new_call=True, rules=dial_rules
    )
    if not first.allowed:
        raise TransferRefused(first.reason)
    kind, job_uuid = kind_of(number, dial_rules), uuid4()
    _ask(domain_uuid, number, kind, job_uuid, None, dial_rules)
    rules = calling_rules_of()
    return _job(
        domain_uuid,
        job_uuid,
        None,
        number=phone,
        kind=DestinationKind.EXTENSION,
        ring_s=str(rules.ring_s),
        then="dial",
        to=number,
        to_kind=kind,
        shown_number=number,
        shown_name=name,
        **to_second(rules),
    )


def to_secretary(*, domain_uuid: UUID, number: str, secretary_uuid: UUID) -> Job:
    """Ring a number, inside or outside, and connect whoever answers with a secretary at her extension.

    Raises TransferRefused: unknown_secretary, no_extension, or the policy's word.
    """
    secretary = Secretary.objects.filter(pk=secretary_uuid).first()
    if secretary is None:
        raise TransferRefused("unknown_secretary")
    mapping = ExtensionMapping.objects.filter(secretary=secretary, enabled=True).order_by("extension").first()
    if mapping is None or not secretary.enabled:
        raise TransferRefused("no_extension")
    number, dial_rules = _plain(number), dialling.rules_of()
    kind, job_uuid = kind_of(number, dial_rules), uuid4()
    _ask(domain_uuid, number, kind, job_uuid, secretary_uuid, dial_rules)
    rules = calling_rules_of()
    inside = kind == DestinationKind.EXTENSION
    return _job(
        domain_uuid,
        job_uuid,
        secretary_uuid,
        number=number,
        kind=kind,
        ring_s=str(rules.ring_s if inside else rules.customer_ring_s),
        then="secretary",
        to=mapping.extension,
        # Inside the secretary shows herself; outside nothing but the domain's own number may be shown.
        shown_number=mapping.extension if inside else "",
        shown_name=secretary.name if inside else "",
        **to_second(rules),
    )


def ring(*, domain_uuid: UUID, number: str) -> Job:
    """Ring an extension of the domain. Raises TransferRefused with the policy's word."""
    job_uuid = uuid4()
    _ask(domain_uuid, number, DestinationKind.EXTENSION, job_uuid, None, dialling.rules_of())
    return _job(domain_uuid, job_uuid, None, number=number, kind=DestinationKind.EXTENSION)


def _ask(domain_uuid: UUID, number: str, kind: str, job_uuid: UUID, secretary_uuid: UUID | None, rules: Rules) -> None:
    decision = dialling.ask(
        domain_uuid=domain_uuid, number=number, kind=kind, new_call=True, secretary_uuid=secretary_uuid,
        job_uuid=job_uuid, rules=rules,
    )  # fmt: skip
    if not decision.allowed:
        raise TransferRefused(decision.reason)


def record(job: Job) -> None:
    """Write down that somebody asked for it: what, not whom it reaches. That stands in the job, and can be erased."""
    told = {name: audit.Masked(value) if name in PERSONAL else value for name, value in job.arguments.items()}
    audit.log("job.requested", audit.Subject("job", str(job.pk), job.kind), new=told)


def _job(domain_uuid: UUID, job_uuid: UUID, secretary_uuid: UUID | None, **arguments: str) -> Job:
    return jobs.create_job(
        domain_uuid=domain_uuid,
        kind=JobKind.ORIGINATE,
        job_uuid=job_uuid,
        secretary_uuid=secretary_uuid,
        arguments={name: str(value) for name, value in arguments.items() if value},
    )


def _plain(number: str) -> str:
    """As people write it, without what is no part of it."""
    return "".join(letter for letter in number if letter.isascii() and (letter.isdigit() or letter in "+*#"))
