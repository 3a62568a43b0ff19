"""API keys: of one domain, or of the installation. Only a hash of the key is kept."""

from __future__ import annotations

import ipaddress
import uuid
from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.fields import EncryptedTextField
from tenants.models.base import TenantModel, Timestamped
from tenants.models.platform import PlatformModel


def validate_network(value: str) -> None:
    """An address, or a network such as 192.0.2.0/24 or 2001:db8::/32."""
    try:
        ipaddress.ip_network(value)
    except ValueError as error:
        raise ValidationError(_("%(value)s is no IP address or network."), params={"value": value}) from error


class KeyFields(Timestamped):
    """What both kinds of key have. A key is 256 random bits, so a plain SHA-256 of it is as good as any slow hash."""

    key_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=120)
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    """The part of the key that may be shown, logged and spoken of."""
    secret_hash = models.CharField(max_length=64, editable=False)
    """Hexadecimal SHA-256 of the whole key."""
    scopes = ArrayField(models.CharField(max_length=40), verbose_name=_("scopes"), size=40, default=list)
    allowed_ips = ArrayField(
        models.CharField(max_length=64, validators=[validate_network]),
        verbose_name=_("allowed addresses"),
        size=50,
        default=list,
        blank=True,
    )
    """Addresses and networks it may be used from; empty: from anywhere."""
    rate_per_minute = models.PositiveIntegerField(
        _("requests per minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
    )
    """Null: the installation's default."""
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    replaced_by = models.UUIDField(null=True, blank=True, editable=False)
    """The key that a rotation made; this one lives on until `expires_at`."""
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    last_used_ip = models.GenericIPAddressField(null=True, blank=True, editable=False)
    created_by = models.CharField(max_length=200, blank=True, default="", editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    def is_live(self, now: datetime) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)

    def admits(self, address: str | None) -> bool:
        """Whether it may be used from this address."""
        if not self.allowed_ips:
            return True
        try:
            client: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address or "")
        except ValueError:
            return False
        if isinstance(client, ipaddress.IPv6Address) and client.ipv4_mapped is not None:
            client = client.ipv4_mapped
        return any(client in ipaddress.ip_network(network) for network in self.allowed_ips)


class ApiKey(KeyFields, TenantModel):
    """A key to one domain. The key itself names the domain, so that looking it up never leaves the tenant."""

    class Meta(TenantModel.Meta):
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        indexes = (models.Index(fields=("domain", "-created_at"), name="tenants_apikey_recent"),)


class InstallationKey(KeyFields, PlatformModel):
    """A key to every domain, for the hosting company's own programs and for FusionPBX."""

    assertion_secret = EncryptedTextField(editable=False)
    """What signs FusionPBX's assertions: derived from the key, and not to be derived from the hash beside it."""

    class Meta(PlatformModel.Meta):
        verbose_name = _("installation key")
        verbose_name_plural = _("installation keys")
