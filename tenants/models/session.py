from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models.platform import PlatformModel


class BrowserSession(PlatformModel):
    """A browser that is known to the panel. The cookie's key is kept as a hash: reading this table opens no session.

    A person's sessions are nobody's but theirs and the operator's: a person may belong to several tenants.
    """

    session_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    """Hexadecimal SHA-256 of the session's key, which is 160 random bits."""
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+", editable=False
    )
    """Null until somebody has signed in."""
    data = models.TextField(editable=False)
    signed_in_at = models.DateTimeField(_("signed in"), null=True, editable=False)
    seen_at = models.DateTimeField(_("last seen"), editable=False)
    expires_at = models.DateTimeField(editable=False)
    """However busy it is, it ends then."""
    address = models.GenericIPAddressField(_("address"), null=True, editable=False)
    agent = models.CharField(_("browser"), max_length=300, blank=True, default="", editable=False)

    class Meta(PlatformModel.Meta):
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        indexes = (models.Index(fields=("expires_at",), name="tenants_session_expiry"),)

    def __str__(self) -> str:
        return str(self.session_uuid)
