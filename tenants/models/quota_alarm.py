from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models.base import TenantModel


class QuotaKind(models.TextChoices):
    MINUTES = "minutes", _("Minutes")
    MONEY = "money", _("Money")


class QuotaPeriod(models.TextChoices):
    DAY = "day", _("a day")
    MONTH = "month", _("a month")


class QuotaAlarm(TenantModel):
    """80 or 100 % of a quota was reached in a period. The unique row is what makes it be told once."""

    alarm_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=QuotaKind.choices)
    period = models.CharField(max_length=10, choices=QuotaPeriod.choices)
    begins_on = models.DateField()
    """The period's first day, in the domain's time zone."""
    percent = models.PositiveSmallIntegerField()
    used = models.DecimalField(max_digits=18, decimal_places=6)
    quota = models.DecimalField(max_digits=18, decimal_places=6)
    mailed_at = models.DateTimeField(null=True, blank=True)
    """When the domain's administrators were written to; null: that is still to be done."""

    class Meta(TenantModel.Meta):
        verbose_name = _("quota alarm")
        verbose_name_plural = _("quota alarms")
        ordering = ("-created_at",)
        indexes = (
            models.Index(
                fields=("created_at",), condition=models.Q(mailed_at__isnull=True), name="tenants_alarm_to_mail"
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("domain", "kind", "period", "begins_on", "percent"), name="tenants_alarm_once"
            ),
            models.CheckConstraint(condition=models.Q(kind__in=QuotaKind.values), name="tenants_alarm_kind"),
            models.CheckConstraint(condition=models.Q(period__in=QuotaPeriod.values), name="tenants_alarm_period"),
            models.CheckConstraint(condition=models.Q(percent__in=(80, 100)), name="tenants_alarm_percent"),
        )

    def __str__(self) -> str:
        return f"{self.percent} % of {self.kind} {self.period}"
