from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from secretary.models.call import Call
from secretary.models.destination import Destination
from secretary.models.secretary import Secretary
from tenants.models import TenantModel


class Urgency(models.TextChoices):
    LOW = "low", _("can wait")
    NORMAL = "normal", _("normal")
    URGENT = "urgent", _("urgent")


class Message(TenantModel):
    """What a caller left. Kept from the first second: `complete` says whether the caller came to an end."""

    message_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    secretary = models.ForeignKey(
        Secretary,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="secretary_uuid",
        db_constraint=False,
        related_name="messages",
    )
    call = models.ForeignKey(
        Call,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="call_uuid",
        db_constraint=False,
        related_name="messages",
    )
    destination = models.ForeignKey(
        Destination,
        verbose_name=_("for"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="destination_uuid",
        db_constraint=False,
        related_name="+",
    )
    """Whom the caller wanted; null where nobody in particular."""
    caller_number = models.CharField(_("caller's number"), max_length=64, blank=True, default="")
    caller_name = models.CharField(_("caller's name"), max_length=120, blank=True, default="")
    text = models.TextField(_("text"), blank=True, default="")
    given_name = models.CharField(_("name given"), max_length=120, blank=True, default="")
    """As the caller said it; `caller_name` is what the telephone network shows."""
    given_number = models.CharField(_("number given"), max_length=64, blank=True, default="")
    reason = models.CharField(_("about"), max_length=200, blank=True, default="")
    urgency = models.CharField(_("urgency"), max_length=8, choices=Urgency.choices, default=Urgency.NORMAL)
    audio = models.CharField(_("recording"), max_length=300, blank=True, default="")
    """Path below DATA_DIR."""
    complete = models.BooleanField(default=False)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ("-created_at",)
        indexes = (models.Index(fields=("domain", "-created_at"), name="secretary_message_recent"),)
        constraints = (
            models.UniqueConstraint(fields=("domain", "message_uuid"), name="secretary_message_tenant"),
            models.CheckConstraint(condition=models.Q(urgency__in=Urgency.values), name="secretary_message_urgency"),
        )

    def __str__(self) -> str:
        return str(self.message_uuid)

    @property
    def is_read(self) -> bool:
        return self.read_at is not None
