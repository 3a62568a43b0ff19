"""Forgetting the record of changes: lines older than AUDIT_KEPT_DAYS, of all domains and of the installation.

PostgreSQL lets nothing else go (`tenants.append_only`). That lines went, how many and until when, is a line itself.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection
from django.utils import timezone

from tenants import audit
from tenants.append_only import OPEN
from tenants.context import platform_context
from tenants.models.audit import AuditEvent, InstallationEvent

BATCH: Final = 5_000
LONGEST_S: Final = 20.0


def forget_old_lines(now: datetime | None = None, *, longest_s: float = LONGEST_S) -> int:
    """Delete them, a batch a transaction. Returns how many; the next run goes on where this one stopped."""
    before = (now or timezone.now()) - timedelta(days=settings.AUDIT_KEPT_DAYS)
    until, total = time.monotonic() + longest_s, 0
    for model in (AuditEvent, InstallationEvent):
        gone = BATCH
        while gone == BATCH and time.monotonic() < until:
            with platform_context():
                gone = _forget(model, before)
                if gone:
                    subject = audit.Subject("record", "", model._meta.model_name or "")
                    audit.log("record.purged", subject, new={"count": gone, "older_than": before})
            total += gone
    return total


def _forget(model: type[AuditEvent | InstallationEvent], before: datetime) -> int:
    """One batch, the oldest first. In the platform's transaction, which the permission does not outlive."""
    rows = model.objects.filter(at__lt=before).order_by("at")
    keys = list(rows.values_list("pk", flat=True)[:BATCH])
    if not keys:
        return 0
    with connection.cursor() as cursor:
        cursor.execute("select set_config(%s, 'on', true)", [OPEN])
        gone: int = model.objects.filter(pk__in=keys).delete()[0]
        cursor.execute("select set_config(%s, '', true)", [OPEN])
    return gone
