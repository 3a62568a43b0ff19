"""Writes: a tenant's own tools. Inside a tenant; each is one transaction and one audit line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from secretary.models import Secretary
from secretary.services.optimistic import lock_settings, lock_unchanged
from secretary.tools.http.client import RESERVED
from secretary.tools.models import HttpTool
from secretary.tools.models.http_tool import MAX_PER_DOMAIN
from secretary.webhooks import signing
from tenants import audit

OVERLAP: Final = timedelta(hours=24)
MAX_OVERLAP: Final = timedelta(days=7)
MAX_HEADERS: Final = 10
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,60}\Z")
_VALUE: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]{0,998}[\x21-\x7e])?\Z")


@dataclass(frozen=True, slots=True)
class Issued:
    """A tool and, for this one moment, its secret."""

    tool: HttpTool
    secret: str


@transaction.atomic
def create_tool(*, tool_uuid: UUID | None = None, **values: Any) -> Issued:
    """Make a tool. Raises ValidationError by field, also where the domain has enough of them."""
    lock_settings()
    if HttpTool.objects.count() >= MAX_PER_DOMAIN:
        text = _("A domain can have %(most)d tools. Remove one first.")
        raise ValidationError(text % {"most": MAX_PER_DOMAIN}, code="too_many")
    tool = HttpTool(tool_uuid=tool_uuid or uuid4())
    _store(tool, values, new=True)
    return Issued(tool, tool.secret)


@transaction.atomic
def update_tool(*, tool_uuid: UUID, seen_at: datetime | None, **values: Any) -> HttpTool:
    """Change one that was last seen at `seen_at`; a new name is its name in the secretaries that have it, too.

    `headers` left out: they stay. Raises DoesNotExist, StaleRowError, ValidationError.
    """
    lock_settings()
    tool = lock_unchanged(HttpTool, tool_uuid, seen_at)
    old = tool.name
    _store(tool, values, new=False)
    if tool.name != old:
        _rename(old, tool.name)
    return tool


def _store(tool: HttpTool, values: Mapping[str, Any], *, new: bool) -> None:
    before = audit.before(tool)
    for name, value in values.items():
        if name == "headers":
            tool.extra_headers = packed(value)
        else:
            setattr(tool, name, value)
    tool.full_clean()
    tool.save(force_insert=new)
    audit.saved(tool, before)


@transaction.atomic
def delete_tool(*, tool_uuid: UUID) -> None:
    """Remove one; secretaries that have it do without. Raises DoesNotExist."""
    lock_settings()
    tool = HttpTool.objects.get(pk=tool_uuid)
    _rename(tool.name, "")
    audit.deleted(tool)
    tool.delete()


def _rename(old: str, new: str) -> None:
    for secretary in Secretary.objects.select_for_update(of=("self",)).filter(tools__contains=[old]):
        before = audit.before(secretary)
        secretary.tools = [name for name in (new if name == old else name for name in secretary.tools) if name]
        secretary.save(update_fields=("tools", "updated_at"))
        audit.saved(secretary, before)


@transaction.atomic
def rotate_secret(*, tool_uuid: UUID, overlap: timedelta = OVERLAP) -> Issued:
    """Give a tool a new secret; the one before signs beside it for a while. Raises DoesNotExist, ValidationError."""
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise ValidationError(_("The old secret can stay valid for 7 days at most."), code="overlap")
    tool = HttpTool.objects.select_for_update(of=("self",)).get(pk=tool_uuid)
    tool.previous_secret = tool.secret if overlap else None
    tool.previous_expires_at = timezone.now() + overlap if overlap else None
    tool.secret = signing.new_secret()
    tool.save()
    audit.log("httptool.secret-renewed", audit.subject_of(tool), new={"overlap_s": overlap.total_seconds()})
    return Issued(tool, tool.secret)


def packed(headers: Mapping[str, str]) -> str:
    """Headers as they are stored, encrypted. Raises ValidationError for what HTTP, or the platform, does not take."""
    if len(headers) > MAX_HEADERS:
        raise ValidationError({"headers": _("At most %(most)d headers.") % {"most": MAX_HEADERS}})
    for name, value in headers.items():
        if not _HEADER.match(name) or not _VALUE.match(value):
            raise ValidationError({"headers": _("%(name)s cannot be sent as a header.") % {"name": name[:60]}})
        if name.lower() in RESERVED:
            raise ValidationError({"headers": _("%(name)s is set by the platform.") % {"name": name[:60]}})
    if len({name.lower() for name in headers}) < len(headers):
        raise ValidationError({"headers": _("A header is there twice.")})
    return json.dumps(dict(headers), sort_keys=True) if headers else ""
