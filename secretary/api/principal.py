"""Who is asking, and what they may: scopes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from tenants.models.member import Role
from tenants.origin import Actor

ALL: Final = "*"
ALL_READ: Final = "*:read"
READ: Final = "read"
WRITE: Final = "write"

NOT_FOR_EVERY_ROLE: Final = frozenset(
    {"api-keys", "audit", "esl-credential", "webhooks", "tools", "caller-facts", "caller-requests"}
)
"""Resources that only a domain's administrators may even see."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who asks. `domain_uuid` is the one domain they may name; None: any (the installation's)."""

    kind: str
    """`installation-key`, `domain-key`, `fusionpbx-user` or `panel-user`."""
    ident: str
    """Stable and short: for limits, idempotency and the record."""
    name: str
    domain_uuid: UUID | None
    scopes: frozenset[str]
    rate_per_minute: int | None = None

    is_operator: bool = False
    """Whether it may do what concerns the installation: make domains and keys, provision many."""

    def actor(self) -> Actor:
        """Who that is in the record of changes."""
        if self.kind == "panel-user":
            return Actor("operator" if self.is_operator else "user", self.ident.partition(":")[2], self.name)
        ident = self.name if self.kind == "fusionpbx-user" else self.ident.partition(":")[2]
        return Actor(self.kind, ident[:64], self.name[:200])

    def may(self, resource: str, verb: str) -> bool:
        return covers(self.scopes, f"{resource}:{verb}")


def covers(scopes: Iterable[str], wanted: str) -> bool:
    """Whether a set of scopes includes another one. To write is to read."""
    held = set(scopes)
    if ALL in held or wanted in held:
        return True
    resource, _, verb = wanted.partition(":")
    return verb == READ and (ALL_READ in held or f"{resource}:{WRITE}" in held)


def role_scopes(role: str, resources: Iterable[str]) -> frozenset[str]:
    """What a member of a domain may do when the panel's session is used.

    An agent sees in the panel what is their own, which no scope can say: here they see nothing.
    """
    if role == Role.ADMIN:
        return frozenset({ALL})
    if role == Role.VIEWER:
        return frozenset(f"{resource}:{READ}" for resource in resources if resource not in NOT_FOR_EVERY_ROLE)
    return frozenset()
