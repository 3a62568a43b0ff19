from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from secretary.models.call import Call
from secretary.models.price import UsageUnit
from tenants.models import TenantModel


class UsageRecord(TenantModel):
    """What one call used of one provider, at the price of its day. It outlives the call: bills are kept."""

    usage_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    call = models.ForeignKey(
        Call,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="call_uuid",
        db_constraint=False,
        related_name="usage",
    )
    day = models.DateField()
    """On which the call began, in the domain's time zone."""
    secretary_uuid = models.UUIDField(null=True, blank=True)
    """No foreign key: a secretary that is removed was used all the same."""
    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=120, blank=True, default="")
    unit = models.CharField(max_length=24, choices=UsageUnit.choices)
    quantity = models.DecimalField(max_digits=18, decimal_places=3)
    unit_price = models.DecimalField(max_digits=20, decimal_places=12)
    amount = models.DecimalField(max_digits=18, decimal_places=6)
    currency = models.CharField(max_length=3)

    class Meta(TenantModel.Meta):
        verbose_name = _("usage")
        verbose_name_plural = _("usage")
        ordering = ("-day",)
        indexes = (models.Index(fields=("domain", "-day"), name="secretary_usage_day_of"),)
        constraints = (
            models.UniqueConstraint(
                fields=("domain", "call", "provider", "model", "unit"), name="secretary_usage_once"
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gte=0, amount__gte=0, unit__in=UsageUnit.values),
                name="secretary_usage_sane",
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} {self.unit} of {self.provider}"


class UsageDay(TenantModel):
    """The sum of a day's records: kept with them, in the same transaction, so that a quota is read from few rows."""

    row_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    day = models.DateField()
    secretary_uuid = models.UUIDField(null=True, blank=True)
    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=120, blank=True, default="")
    """Empty: the service has none to choose, or the day is from before models were told apart."""
    unit = models.CharField(max_length=24, choices=UsageUnit.choices)
    currency = models.CharField(max_length=3)
    calls = models.PositiveIntegerField(default=0)
    """A call counts once for a service: with the first of its models."""
    quantity = models.DecimalField(max_digits=20, decimal_places=3, default=0)
    amount = models.DecimalField(max_digits=20, decimal_places=6, default=0)

    class Meta(TenantModel.Meta):
        verbose_name = _("usage of a day")
        verbose_name_plural = _("usage of days")
        ordering = ("-day",)
        constraints = (
            models.UniqueConstraint(
                fields=("domain", "day", "secretary_uuid", "provider", "model", "unit", "currency"),
                name="secretary_usage_day_once",
                nulls_distinct=False,
            ),
        )

    def __str__(self) -> str:
        return f"{self.day} {self.quantity} {self.unit} of {self.provider}"
