from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.managers import TenantManager
from tenants.models.base import Timestamped

_MINUTES = (MinValueValidator(1), MaxValueValidator(10_000_000))
_MONEY = (MinValueValidator(Decimal("0.01")),)


class Quota(Timestamped):
    """What a domain may use; null: without end. Only the installation changes it. A domain without a row has the
    defaults below. Simultaneous calls are `Domain.max_calls`.

    A day and a month are those of the domain's time zone. Money is in the installation's currency (CURRENCY).
    """

    domain = models.OneToOneField(
        "tenants.Domain",
        on_delete=models.CASCADE,
        primary_key=True,
        db_column="domain_uuid",
        related_name="+",
        editable=False,
    )
    minutes_per_day = models.PositiveIntegerField(_("minutes a day"), null=True, blank=True, validators=_MINUTES)
    minutes_per_month = models.PositiveIntegerField(_("minutes a month"), null=True, blank=True, validators=_MINUTES)
    money_per_day = models.DecimalField(
        _("money a day"), max_digits=12, decimal_places=2, null=True, blank=True, validators=_MONEY
    )
    money_per_month = models.DecimalField(
        _("money a month"), max_digits=12, decimal_places=2, null=True, blank=True, validators=_MONEY
    )
    max_secretaries = models.PositiveSmallIntegerField(
        _("secretaries"), default=100, validators=[MaxValueValidator(10_000)]
    )
    max_extensions = models.PositiveSmallIntegerField(
        _("extensions"), default=1_000, validators=[MaxValueValidator(1_000)]
    )
    """1,000 is all that 8XXX has."""
    api_per_minute = models.PositiveIntegerField(
        _("API requests per minute"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    """Of all keys of the domain together, beside each key's own limit; null: only that."""

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("quota")
        verbose_name_plural = _("quotas")

    def __str__(self) -> str:
        return f"quota of {self.pk}"
