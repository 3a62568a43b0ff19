from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models.base import TenantModel


class DialAttempt(TenantModel):
    """A number that somebody wanted to have dialled, and what the policy said: what limits are counted by."""

    attempt_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    call_uuid = models.UUIDField(null=True, blank=True)
    secretary_uuid = models.UUIDField(null=True, blank=True)
    job_uuid = models.UUIDField(null=True, blank=True)
    """The job it is for: asked again by the worker, it is still the same dial."""
    kind = models.CharField(max_length=16)
    number = models.CharField(_("number"), max_length=64)
    """As it was wanted."""
    e164 = models.CharField(max_length=20, blank=True, default="")
    """Empty: inside the domain, or no number at all."""
    region = models.CharField(max_length=3, blank=True, default="")
    allowed = models.BooleanField()
    reason = models.CharField(max_length=24)
    detail = models.CharField(max_length=200, blank=True, default="")

    class Meta(TenantModel.Meta):
        verbose_name = _("dial")
        verbose_name_plural = _("dials")
        ordering = ("-created_at",)
        indexes = (
            models.Index(fields=("domain", "-created_at"), name="eslbridge_dial_recent"),
            models.Index(fields=("domain", "call_uuid"), name="eslbridge_dial_call"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("domain", "job_uuid"),
                condition=models.Q(job_uuid__isnull=False),
                name="eslbridge_dial_of_job",
            ),
        )

    def __str__(self) -> str:
        return f"{self.number} {self.reason}"
