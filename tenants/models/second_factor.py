from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.fields import EncryptedTextField
from tenants.models.platform import PlatformModel


class SecondFactor(PlatformModel):
    """A person's authenticator app (TOTP, RFC 6238). Not in force before `confirmed_at`."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="+", editable=False
    )
    secret = EncryptedTextField(editable=False)
    """Base32, as authenticator apps take it."""
    confirmed_at = models.DateTimeField(null=True, editable=False)
    last_step = models.BigIntegerField(default=0, editable=False)
    """The newest 30 s step whose code was accepted: neither it nor an older one is accepted again."""

    class Meta(PlatformModel.Meta):
        verbose_name = _("two-factor sign-in")
        verbose_name_plural = _("two-factor sign-ins")

    def __str__(self) -> str:
        return str(self.pk)


class RecoveryCode(PlatformModel):
    """A code for the day the telephone is lost: once, and kept as a hash (it has 80 random bits)."""

    code_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", editable=False)
    code_hash = models.CharField(max_length=64, editable=False)
    used_at = models.DateTimeField(null=True, editable=False)

    class Meta(PlatformModel.Meta):
        constraints = (models.UniqueConstraint(fields=("user", "code_hash"), name="tenants_recovery_once"),)

    def __str__(self) -> str:
        return str(self.code_uuid)
