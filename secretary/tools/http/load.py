"""What the node knows of a tenant's tool: without secrets at the call's beginning, with them when it is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.utils import timezone

from secretary.profiles import HttpToolProfile
from secretary.tools.models import HttpTool
from tenants.context import tenant_context


@dataclass(frozen=True, slots=True)
class Ready:
    """All that one request needs. Made for that request, and forgotten after it."""

    tool_uuid: UUID
    name: str
    method: str
    url: str
    shares_caller: bool
    timeout_s: float
    max_bytes: int
    result_path: str
    result_text: str
    per_minute: int
    secrets: tuple[str, ...] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False, hash=False)


def profiles(names: list[str]) -> tuple[HttpToolProfile, ...]:
    """The tenant's own tools of these names that are in use. Inside the tenant."""
    if not names:
        return ()
    rows = HttpTool.objects.filter(name__in=names, enabled=True).values_list(
        "tool_uuid", "name", "description", "parameters", "timeout_s", "per_call", "per_minute"
    )
    return tuple(HttpToolProfile(*row) for row in rows)


def ready(*, domain_uuid: UUID, tool_uuid: UUID) -> Ready | None:
    """A tool with its secrets; None where it is gone or switched off meanwhile. Raises UndecryptableError."""
    with tenant_context(domain_uuid):
        row = HttpTool.objects.filter(pk=tool_uuid, enabled=True).first()
        return None if row is None else ready_of(row)


def ready_of(row: HttpTool) -> Ready:
    return Ready(
        tool_uuid=row.pk,
        name=row.name,
        method=row.method,
        url=row.url,
        shares_caller=row.shares_caller,
        timeout_s=row.timeout_s,
        max_bytes=row.max_bytes,
        result_path=row.result_path,
        result_text=row.result_text,
        per_minute=row.per_minute,
        secrets=tuple(row.live_secrets(timezone.now())),
        headers=row.headers(),
    )
