from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from secretary.models.message import Message
from tenants.models import TenantModel


class MailState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")


class MessageMail(TenantModel):
    """A letter to one person about one message: written with the message, sent by a worker, tried again for a day."""

    mail_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, db_column="message_uuid", db_constraint=False, related_name="mails"
    )
    address = models.EmailField()
    with_audio = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=MailState.choices, default=MailState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    """Not before this; while a worker is at it: when another one may take it over."""
    error = models.CharField(max_length=200, blank=True, default="")
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("letter about a message")
        verbose_name_plural = _("letters about messages")
        ordering = ("created_at",)
        indexes = (
            models.Index(fields=("next_at",), condition=models.Q(state="waiting"), name="secretary_mail_waiting"),
        )
        constraints = (
            models.UniqueConstraint(fields=("domain", "message", "address"), name="secretary_mail_once"),
            models.CheckConstraint(condition=models.Q(state__in=MailState.values), name="secretary_mail_state"),
        )

    def __str__(self) -> str:
        return f"{self.address} {self.state}"
