"""What has to be done to rows: to make, to change (with old and new values), to delete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Model

Errors = dict[str, tuple[str, str]]
"""Path in the document → (code, sentence)."""
HIDDEN: Final = "•••"
SECRETS: Final = frozenset({"password", "extra_headers", "api_key", "keys", "secret"})


@dataclass(slots=True)
class Change:
    """A row that is there and becomes different: field → (old, new)."""

    row: Any
    fields: dict[str, tuple[Any, Any]]

    def shown(self) -> dict[str, tuple[Any, Any]]:
        return {name: (HIDDEN, HIDDEN) if name in SECRETS else pair for name, pair in self.fields.items()}


@dataclass(slots=True)
class Steps:
    """What has to be done to the rows of one kind."""

    made: list[Any] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    deleted: list[Any] = field(default_factory=list)
    unchanged: int = 0

    def counts(self) -> dict[str, int]:
        return {
            "created": len(self.made),
            "changed": len(self.changed),
            "deleted": len(self.deleted),
            "unchanged": self.unchanged,
        }

    @property
    def is_empty(self) -> bool:
        return not (self.made or self.changed or self.deleted)


def assign(row: Model, values: Mapping[str, Any], steps: Steps, is_new: bool | None = None) -> None:
    """Put values into a row, and note what that changes."""
    changes: dict[str, tuple[Any, Any]] = {}
    for name, value in values.items():
        old = getattr(row, name)
        if old != value:
            changes[name] = (old, value)
            setattr(row, name, value)
    if is_new or (is_new is None and steps.made):
        return
    if changes:
        steps.changed.append(Change(row, changes))
    else:
        steps.unchanged += 1
