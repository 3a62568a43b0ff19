"""A plan for people: what is new (+), different (~) and gone (-), a line each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from secretary.provisioning.plan import KINDS, Plan
from secretary.provisioning.rules import ONLY
from secretary.provisioning.steps import Change

SHORT: Final = 60
NAMES: Final = {
    "domain": "domain",
    "quota": "quota",
    "data_rules": "data rules",
    "calling_rules": "calling rules",
    "esl_credential": "ESL credential",
    "dial_rules": "dial rules",
    "opening_hours": "opening hours",
    "special_days": "special day",
    "providers": "speech service",
    "tools": "tool",
    "secretaries": "secretary",
    "extensions": "extension",
    "destinations": "destination",
    "webhooks": "webhook",
}


def difference(plan: Plan) -> Iterator[str]:
    for kind in KINDS:
        steps, name = plan.steps[kind], NAMES[kind]
        for row in steps.deleted:
            yield f"- {name} {row}"
        for row in steps.made:
            yield f"+ {name}" if kind in ONLY else f"+ {name} {row}"
        for change in steps.changed:
            yield f"~ {name}" if kind in ONLY else f"~ {name} {change.row}"
            yield from _fields(change)


def _fields(change: Change) -> Iterator[str]:
    for field, (old, new) in sorted(change.shown().items()):
        yield f"    {field}: {_short(old)} → {_short(new)}"


def _short(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"
