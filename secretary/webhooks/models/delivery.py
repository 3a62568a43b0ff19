from __future__ import annotations

import uuid
from typing import Final

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from secretary.webhooks.models.event import WebhookEvent
from secretary.webhooks.models.webhook import Webhook
from tenants.models import TenantModel

KEPT_BODY: Final = 2_048
"""Bytes of a receiver's answer that are read and kept."""


class DeliveryState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    SENDING = "sending", _("Being sent")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Given up")


OPEN: Final = (DeliveryState.WAITING, DeliveryState.SENDING)


class Delivery(TenantModel):
    """One event for one webhook: waiting → sending → delivered, or back to waiting until `expires_at`, then failed.

    The columns about an answer are those of the last attempt.
    """

    delivery_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(
        Webhook, on_delete=models.CASCADE, db_column="webhook_uuid", db_constraint=False, related_name="deliveries"
    )
    event = models.ForeignKey(
        WebhookEvent, on_delete=models.CASCADE, db_column="event_uuid", db_constraint=False, related_name="deliveries"
    )
    state = models.CharField(_("state"), max_length=10, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    replay = models.BooleanField(default=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    response_body = models.TextField(blank=True, default="")
    """The first KEPT_BODY bytes, as text."""
    error = models.CharField(max_length=20, blank=True, default="")
    """Why there was no answer, in one word of `secretary.webhooks.attempt`; empty where there was one."""
    duration_ms = models.PositiveIntegerField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ("-created_at",)
        indexes = (
            models.Index(fields=("domain", "webhook", "-created_at"), name="webhooks_delivery_recent"),
            models.Index(fields=("event",), name="webhooks_delivery_event"),
            # What lanes and sweeps look at: a few rows among all that are over.
            models.Index(
                fields=("domain", "next_attempt_at"),
                condition=models.Q(state__in=("waiting", "sending")),
                name="webhooks_delivery_open",
            ),
        )
        constraints = (
            models.CheckConstraint(condition=models.Q(state__in=DeliveryState.values), name="webhooks_delivery_state"),
        )

    def __str__(self) -> str:
        return f"{self.delivery_uuid} {self.state}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN
