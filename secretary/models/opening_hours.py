from __future__ import annotations

import uuid
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from secretary.opening.holiday_calendar import countries, subdivisions
from secretary.opening.weekly import MOST_RANGES, NotOpeningHours, read_ranges, read_weekly
from tenants.models import TenantModel

MAX_NAME: Final = 120


class HoursSource(models.TextChoices):
    """Who knows whether it is open."""

    WEEKLY = "weekly", _("The week and the special days")
    SWITCH = "switch", _("The telephone system: a time condition or a day and night switch")


class OpeningHours(TenantModel):
    """When somebody is there: a week, public holidays of a place, and the days that are different.

    Times are those of the domain's time zone. Secretaries and destinations point here; a secretary that does not has
    the domain's usual hours.
    """

    hours_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=MAX_NAME)
    is_default = models.BooleanField(_("the domain's usual hours"), default=False)
    source = models.CharField(_("who knows"), max_length=10, choices=HoursSource.choices, default=HoursSource.WEEKLY)
    weekly = models.JSONField(_("week"), default=dict, blank=True)
    """`{"mon": ["09:00-12:00", "13:00-18:00"], …}`; a day that is not there is closed."""
    holidays_country = models.CharField(_("public holidays of"), max_length=3, blank=True, default="")
    """ISO code; empty: public holidays are days like others."""
    holidays_subdivision = models.CharField(_("state or province"), max_length=60, blank=True, default="")

    class Meta(TenantModel.Meta):
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")
        ordering = ("name",)
        constraints = (
            # The target of foreign keys that stay inside the tenant.
            models.UniqueConstraint(fields=("domain", "hours_uuid"), name="secretary_hours_tenant"),
            models.UniqueConstraint(
                fields=("domain", "name"),
                name="secretary_hours_name",
                violation_error_message=_("There are opening hours of this name."),
            ),
            models.UniqueConstraint(
                fields=("domain",), condition=models.Q(is_default=True), name="secretary_hours_default"
            ),
            models.CheckConstraint(condition=models.Q(source__in=HoursSource.values), name="secretary_hours_source"),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        errors: dict[str, Any] = {}
        try:
            self.weekly = read_weekly(self.weekly).as_json()
        except NotOpeningHours as error:
            errors["weekly"] = error.sentence
        if self.holidays_country and self.holidays_country not in countries():
            errors["holidays_country"] = _("There is no calendar of this country.")
        elif self.holidays_subdivision and self.holidays_subdivision not in subdivisions(self.holidays_country):
            errors["holidays_subdivision"] = _("This is no part of the country.")
        if errors:
            raise ValidationError(errors)


class SpecialDay(TenantModel):
    """A day that is not like its weekday: a holiday of one's own, or an exception. Of one week, or of all of them."""

    day_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    hours = models.ForeignKey(
        OpeningHours,
        verbose_name=_("of"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        db_column="hours_uuid",
        db_constraint=False,
        related_name="special_days",
    )
    """Null: all opening hours of the domain."""
    name = models.CharField(_("name"), max_length=MAX_NAME, blank=True, default="")
    date = models.DateField(_("date"))
    every_year = models.BooleanField(_("every year"), default=False)
    ranges = models.JSONField(_("open"), default=list, blank=True)
    """`["09:00-12:00"]`; empty: closed."""

    class Meta(TenantModel.Meta):
        verbose_name = _("special day")
        verbose_name_plural = _("special days")
        ordering = ("date",)
        constraints = (
            models.UniqueConstraint(
                fields=("domain", "hours", "date"),
                name="secretary_special_day_once",
                nulls_distinct=False,
                violation_error_message=_("This day is there already."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.date} {self.name}".rstrip()

    def clean(self) -> None:
        try:
            self.ranges = [str(one) for one in read_ranges(self.ranges)]
        except NotOpeningHours as error:
            raise ValidationError({"ranges": error.sentence}) from error


__all__ = ["MOST_RANGES", "HoursSource", "OpeningHours", "SpecialDay"]
