from __future__ import annotations

import uuid
from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models import TenantModel
from tenants.models.base import Timestamped


class UsageUnit(models.TextChoices):
    SECOND = "second", _("seconds")
    INPUT_TOKEN = "input_token", _("tokens in")
    OUTPUT_TOKEN = "output_token", _("tokens out")
    CACHED_TOKEN = "cached_token", _("tokens in, from the cache")
    AUDIO_INPUT_TOKEN = "audio_input_token", _("audio tokens in")
    AUDIO_OUTPUT_TOKEN = "audio_output_token", _("audio tokens out")
    CACHED_AUDIO_TOKEN = "cached_audio_token", _("audio tokens in, from the cache")
    CHARACTER = "character", _("characters spoken")
    SESSION_SECOND = "session_second", _("seconds with the service")
    STT_SECOND = "stt_second", _("seconds understood")


class PriceFields(Timestamped):
    """`amount` for every `per` units, in the installation's currency: 0.06 per 60 seconds.

    Of one model, or (empty) of all models of the provider that have no price of their own.
    """

    price_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider = models.CharField(_("speech service"), max_length=40)
    model = models.CharField(_("model"), max_length=120, blank=True, default="")
    unit = models.CharField(_("unit"), max_length=24, choices=UsageUnit.choices, default=UsageUnit.SECOND)
    amount = models.DecimalField(
        _("price"), max_digits=14, decimal_places=6, validators=[MinValueValidator(Decimal(0))]
    )
    per = models.PositiveIntegerField(_("for so many"), default=60, validators=[MinValueValidator(1)])

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.provider} {self.model}".strip() + f": {self.amount} per {self.per} {self.unit}"

    @property
    def unit_price(self) -> Decimal:
        return (self.amount / self.per).quantize(Decimal("0.000000000001"))


class ProviderPrice(PriceFields):
    """The installation's price list, which every tenant may read and only the platform may write."""

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        constraints = (
            models.UniqueConstraint(fields=("provider", "model", "unit"), name="secretary_price_once"),
            models.CheckConstraint(
                condition=models.Q(per__gte=1, amount__gte=0, unit__in=UsageUnit.values), name="secretary_price_sane"
            ),
        )


class DomainPrice(PriceFields, TenantModel):
    """What one domain pays instead. Only the installation changes it."""

    class Meta(TenantModel.Meta):
        verbose_name = _("price of a domain")
        verbose_name_plural = _("prices of domains")
        constraints = (
            models.UniqueConstraint(fields=("domain", "provider", "model", "unit"), name="secretary_domain_price_once"),
            models.CheckConstraint(
                condition=models.Q(per__gte=1, amount__gte=0, unit__in=UsageUnit.values),
                name="secretary_domain_price_sane",
            ),
        )
