from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tenants.models import TenantModel


class WebhookEvent(TenantModel):
    """Something that happened, as it will be told. Never changed: every delivery and replay says the same."""

    event_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    type = models.CharField(_("event"), max_length=40)
    version = models.PositiveSmallIntegerField()
    payload = models.JSONField()
    occurred_at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta(TenantModel.Meta):
        verbose_name = _("webhook event")
        verbose_name_plural = _("webhook events")
        ordering = ("-occurred_at",)
        indexes = (
            models.Index(fields=("domain", "-occurred_at"), name="webhooks_event_recent"),
            models.Index(fields=("occurred_at",), name="webhooks_event_age"),
        )
        constraints = (models.UniqueConstraint(fields=("domain", "event_uuid"), name="webhooks_event_tenant"),)

    def __str__(self) -> str:
        return f"{self.type} {self.event_uuid}"
