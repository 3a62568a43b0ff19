from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from secretary.models.call import Call
from tenants.models import TenantModel


class CallEvent(TenantModel):
    """A point on a call's timeline: answered, barge-in, tool, transfer, … `at_ms` since the call's start."""

    event_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    call = models.ForeignKey(
        Call, on_delete=models.CASCADE, db_column="call_uuid", db_constraint=False, related_name="events"
    )
    at_ms = models.PositiveIntegerField()
    kind = models.CharField(max_length=60)
    detail = models.JSONField(default=dict, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("call event")
        verbose_name_plural = _("call events")
        ordering = ("at_ms", "created_at")
        indexes = (
            models.Index(fields=("domain", "call", "at_ms"), name="secretary_event_timeline"),
            models.Index(fields=("domain", "created_at"), name="secretary_event_age"),
        )

    def __str__(self) -> str:
        return f"{self.at_ms} ms {self.kind}"
