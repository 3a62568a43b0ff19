from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Final

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from secretary.webhooks.catalogue import EVENT_TYPES, EVERYTHING
from tenants.egress import BlockedError, check_url
from tenants.fields import EncryptedTextField
from tenants.models import TenantModel

MAX_PER_DOMAIN: Final = 20

_BLOCKED: Final[dict[str, Any]] = {
    "bad_url": _("Write a whole address: https://, a host name, no user name or password in it."),
    "port": _("This port is not allowed here."),
    "address": _("The host is not on the public internet."),
}


def validate_url(value: str) -> None:
    """A URL that may be stored. What its name resolves to is judged at each delivery."""
    try:
        check_url(value)
    except BlockedError as error:
        raise ValidationError(_BLOCKED[error.reason], code=error.reason) from error


def validate_event_type(value: str) -> None:
    if value != EVERYTHING and value not in EVENT_TYPES:
        raise ValidationError(_("There is no event of the type %(value)s."), params={"value": value}, code="unknown")


class Webhook(TenantModel):
    """A tenant's server that wants to be told. During a rotation both secrets sign."""

    webhook_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    url = models.CharField(_("address"), max_length=2_000, validators=[validate_url])
    description = models.CharField(_("description"), max_length=200, blank=True, default="")
    events = ArrayField(
        models.CharField(max_length=40, validators=[validate_event_type]),
        verbose_name=_("events"),
        size=len(EVENT_TYPES) + 1,
    )
    """Types out of the catalogue, or `*`."""
    enabled = models.BooleanField(_("enabled"), default=True)
    secret = EncryptedTextField(editable=False)
    previous_secret = EncryptedTextField(null=True, blank=True, editable=False)
    previous_expires_at = models.DateTimeField(null=True, blank=True, editable=False)

    # How it goes, written by deliveries and not by people: `updated_at` stays.
    consecutive_failures = models.PositiveIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    """The first failure after the last success."""
    not_before = models.DateTimeField(null=True, blank=True, editable=False)
    """A receiver that fails again and again is left alone until then."""
    last_success_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_reason = models.CharField(max_length=20, blank=True, default="", editable=False)
    """Why the platform switched it off: `failing`, `gone`; empty: it did not."""

    class Meta(TenantModel.Meta):
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ("created_at",)
        constraints = (models.UniqueConstraint(fields=("domain", "webhook_uuid"), name="webhooks_webhook_tenant"),)

    def __str__(self) -> str:
        return self.description or self.url

    def wants(self, event_type: str) -> bool:
        return EVERYTHING in self.events or event_type in self.events

    def live_secrets(self, now: datetime) -> list[str]:
        """What signs now, the current one first."""
        secrets = [self.secret]
        if self.previous_secret and self.previous_expires_at is not None and self.previous_expires_at > now:
            secrets.append(self.previous_secret)
        return secrets
