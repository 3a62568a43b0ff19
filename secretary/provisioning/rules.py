"""What there is once in a domain, and its webhooks, compared with what the document says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from eslbridge.models import DialRules
from secretary.models import CallingRules
from secretary.provisioning.steps import Errors, Steps, assign
from secretary.webhooks import signing
from secretary.webhooks.catalogue import EVERYTHING
from secretary.webhooks.models.webhook import MAX_PER_DOMAIN
from tenants.models import DataRules, Domain, Quota

ONLY: Final[Mapping[str, type[Any]]] = {
    "quota": Quota, "data_rules": DataRules, "calling_rules": CallingRules, "dial_rules": DialRules,
}  # fmt: skip
"""Rows whose key is the domain's. Without one the defaults hold."""


def plan_rules(
    domain: Domain, is_new: bool, document: Mapping[str, Any], steps: Mapping[str, Steps], errors: Errors
) -> None:
    """What has to be done to the rows of ONLY."""
    for kind, model in ONLY.items():
        if (wanted := document.get(kind)) is None:
            continue
        row = None if is_new else model.objects.first()
        if row is None:
            row = model(domain_id=domain.pk)
            steps[kind].made.append(row)
        assign(row, wanted, steps[kind])
        try:
            row.clean_fields(exclude=["domain"])
            row.clean()
        except ValidationError as error:
            for name, reasons in error.message_dict.items():
                errors[f"{kind}.{name}"] = ("invalid", " ".join(reasons))


def with_events(wanted: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]] | None:
    """Webhooks with their events as they are stored."""
    if wanted is None:
        return None
    return [
        {**values, "events": [EVERYTHING] if EVERYTHING in values["events"] else sorted(set(values["events"]))}
        if "events" in values
        else dict(values)
        for values in wanted
    ]


def settle_webhooks(webhooks: Sequence[Any], made: Sequence[Any], errors: Errors) -> None:
    """A new one has events and a secret, and there are not too many."""
    for row in made:
        row.secret = row.secret or signing.new_secret()
        row.events = row.events or [EVERYTHING]
    if len(webhooks) > MAX_PER_DOMAIN:
        errors["webhooks"] = ("too_many", _("A domain can have %(most)d webhooks.") % {"most": MAX_PER_DOMAIN})
