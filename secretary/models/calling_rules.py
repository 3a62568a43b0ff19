from __future__ import annotations

from datetime import time
from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.managers import TenantManager
from tenants.models.base import Timestamped


class CallingRules(Timestamped):
    """How a domain calls out: what is shown to whoever is called, how long it rings, when and how often.

    A domain without a row has the defaults below. Its administrators change it.
    """

    domain = models.OneToOneField(
        "tenants.Domain",
        on_delete=models.CASCADE,
        primary_key=True,
        db_column="domain_uuid",
        related_name="+",
        editable=False,
    )
    caller_id_number = models.CharField(
        _("number shown"),
        max_length=21,
        blank=True,
        default="",
        validators=[RegexValidator(r"^\+?[0-9]{2,20}\Z", _("Only digits, with + in front or without."))],
    )
    """Empty: what the switch's outbound routes say."""
    caller_id_name = models.CharField(_("name shown"), max_length=40, blank=True, default="")
    ring_s = models.PositiveSmallIntegerField(
        _("seconds a colleague's telephone rings"),
        default=25,
        validators=[MinValueValidator(5), MaxValueValidator(40)],
    )
    customer_ring_s = models.PositiveSmallIntegerField(
        _("seconds the other telephone rings"),
        default=40,
        validators=[MinValueValidator(5), MaxValueValidator(60)],
    )
    automatic = models.BooleanField(_("place callbacks when their time comes"), default=True)
    """Off: they wait for a person."""
    earliest = models.TimeField(_("never before"), default=time(8, 0))
    latest = models.TimeField(_("never after"), default=time(20, 0))
    """In the domain's time zone, whatever the opening hours say."""
    max_attempts = models.PositiveSmallIntegerField(
        _("attempts at most"), default=3, validators=[MinValueValidator(1), MaxValueValidator(20)]
    )
    spacing_minutes = models.PositiveSmallIntegerField(
        _("minutes between attempts"), default=30, validators=[MinValueValidator(1), MaxValueValidator(1440)]
    )
    expires_hours = models.PositiveSmallIntegerField(
        _("hours after which a callback is given up"),
        default=72,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 31)],
    )

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("calling rules")
        verbose_name_plural = _("calling rules")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(earliest__lt=models.F("latest")), name="secretary_calling_rules_day"
            ),
        )

    def __str__(self) -> str:
        return f"calling rules of {self.pk}"

    def clean(self) -> None:
        if self.earliest >= self.latest:
            raise ValidationError({"latest": _("The end of the day comes after its beginning.")})
