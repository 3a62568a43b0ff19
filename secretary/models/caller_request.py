from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models import TenantModel


class CallerRequestKind(models.TextChoices):
    EXPORT = "export", _("Export")
    ERASE = "erase", _("Erase")


class CallerRequestState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    EXPIRED = "expired", _("Expired")


class CallerRequest(TenantModel):
    """Somebody wants all that is kept of one caller, or wants it gone. The number is forgotten once it is done."""

    request_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=8, choices=CallerRequestKind.choices)
    state = models.CharField(max_length=8, choices=CallerRequestState.choices, default=CallerRequestState.WAITING)
    number = models.CharField(_("caller's number"), max_length=64, blank=True, default="")
    asked_by = models.CharField(max_length=200, blank=True, default="")
    found = models.JSONField(default=dict, blank=True)
    """How many of each kind of thing: counts, nothing of the caller."""
    path = models.CharField(max_length=300, blank=True, default="")
    """The ZIP, below DATA_DIR."""
    attempts = models.PositiveSmallIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("request about a caller")
        verbose_name_plural = _("requests about callers")
        ordering = ("-created_at",)
        indexes = (
            models.Index(fields=("domain", "-created_at"), name="secretary_request_recent"),
            models.Index(fields=("created_at",), condition=models.Q(state="waiting"), name="secretary_request_waiting"),
        )
        constraints = (
            models.CheckConstraint(
                condition=models.Q(kind__in=CallerRequestKind.values, state__in=CallerRequestState.values),
                name="secretary_request_sane",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.request_uuid}"
