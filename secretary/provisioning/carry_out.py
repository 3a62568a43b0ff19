"""Doing what a plan says, in the transaction that made it: a statement or two for each kind of row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from secretary.models import Secretary
from secretary.provisioning.hours import free_the_default
from secretary.provisioning.plan import KINDS, DocumentError, Plan, make_plan
from secretary.provisioning.steps import Steps
from secretary.services.room import check_room
from secretary.tools import history
from secretary.webhooks.services import begin_anew
from tenants import audit
from tenants.context import tenant_context

BATCH = 500
ROOM = KINDS[:2]
"""The domain and its quota: what else there is must have room in it."""


@dataclass(frozen=True, slots=True)
class Provisioned:
    """How it went with one domain. `result`: created, changed or unchanged."""

    plan: Plan

    @property
    def result(self) -> str:
        return self.plan.result

    def counts(self) -> dict[str, dict[str, int]]:
        return {kind: self.plan.steps[kind].counts() for kind in KINDS[1:]}


def provision(*, domain_uuid: UUID, values: Mapping[str, Any], dry_run: bool = False) -> Provisioned:
    """Make the domain what the document says, in one transaction; with `dry_run` only find out what that would mean.

    Raises DocumentError, IntegrityError (a name or UUID is somebody else's); then nothing has happened.
    """
    with tenant_context(domain_uuid):
        plan = make_plan(domain_uuid, values)
        carry_out(plan)
        if dry_run:
            # Everything but the commit: so the database has its say, too.
            transaction.set_rollback(True)
    return Provisioned(plan)


def carry_out(plan: Plan) -> None:
    """Write it. Raises DocumentError where the domain would have more than it may.

    Deletions first and what depends on a row after it, so that names and numbers become free in time.
    """
    with audit.batch():
        for kind in (
            "extensions",
            "destinations",
            "secretaries",
            "providers",
            "tools",
            "special_days",
            "opening_hours",
            "webhooks",
        ):
            for row in plan.steps[kind].deleted:
                audit.deleted(row)
                row.delete()
        for kind in ROOM:
            _write(plan.steps[kind])
            _record(plan.steps[kind])
        try:
            check_room(secretaries=len(plan.steps["secretaries"].made), extensions=len(plan.steps["extensions"].made))
        except ValidationError as error:
            raise DocumentError({"": ("quota", error.messages[0])}) from error
        hours = plan.steps["opening_hours"]
        free_the_default(hours.made, [change.row for change in hours.changed])
        for kind in KINDS[len(ROOM) :]:
            _write(plan.steps[kind])
            _record(plan.steps[kind])
        begin_anew([change.row for change in plan.steps["webhooks"].changed if {"url", "enabled"} & set(change.fields)])
        history.keep_all(_prompts(plan.steps["secretaries"]))


def _prompts(steps: Steps) -> dict[Secretary, str | None]:
    """The secretaries whose prompt is new, with what it was before."""
    changed: dict[Secretary, str | None] = dict.fromkeys(steps.made)
    changed |= {change.row: change.fields["prompt"][0] for change in steps.changed if "prompt" in change.fields}
    return changed


def _record(steps: Steps) -> None:
    for row in steps.made:
        audit.saved(row, None)
    for change in steps.changed:
        subject = audit.subject_of(change.row)
        old = {name: pair[0] for name, pair in change.fields.items()}
        new = {name: pair[1] for name, pair in change.fields.items()}
        audit.log(f"{subject.kind}.changed", subject, old=old, new=new)


def _write(steps: Steps) -> None:
    if steps.made:
        model = type(steps.made[0])
        model.objects.bulk_create(steps.made, batch_size=BATCH)
    if steps.changed:
        model = type(steps.changed[0].row)
        now = timezone.now()
        names = sorted({name for change in steps.changed for name in change.fields})
        for change in steps.changed:
            change.row.updated_at = now
        model.objects.bulk_update([change.row for change in steps.changed], [*names, "updated_at"], batch_size=BATCH)
