from __future__ import annotations

from typing import ClassVar, Final, Self

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from eslbridge.policy import DialAs, Rules, toll_classes
from eslbridge.policy.numbers import country_known
from tenants.managers import TenantManager
from tenants.models.base import Timestamped

MAX_ITEMS: Final = 250
PREFIX = RegexValidator(r"^\+[1-9][0-9]{0,14}\Z", _("A plus, the country code, and more digits if wanted: +49900."))
PUBLIC = RegexValidator(r"^\+[1-9][0-9]{4,14}\Z", _("A whole number with its country code: +4930123456."))
OUTSIDE = RegexValidator(r"^[0-9*#]{1,4}\Z", _("Up to four digits, * or #."))
CLASSES = RegexValidator(r"^[A-Za-z0-9_., -]{1,200}\Z", _("Words with commas between them."))


def validate_country(value: str) -> None:
    if not country_known(value):
        raise ValidationError(_("%(value)s is not a country."), params={"value": value})


class DialForm(models.TextChoices):
    E164 = DialAs.E164, _("+4930123456")
    DIGITS = DialAs.DIGITS, _("4930123456: no plus")
    NATIONAL = DialAs.NATIONAL, _("as on a telephone of the country")


class DialRules(Timestamped):
    """What a domain lets its secretaries dial. One a domain; a domain without a row has the defaults below.

    What no domain can permit (emergency numbers, premium numbers, satellites) is in `eslbridge.policy`.
    """

    domain = models.OneToOneField(
        "tenants.Domain",
        on_delete=models.CASCADE,
        primary_key=True,
        db_column="domain_uuid",
        related_name="+",
        editable=False,
    )
    country = models.CharField(_("country"), max_length=2, blank=True, default="", validators=[validate_country])
    """ISO code; empty: that of the domain's telephone country code."""
    area_code = models.CharField(
        _("own area code"), max_length=6, blank=True, default="", validators=[RegexValidator(r"^[0-9]{1,6}\Z")]
    )
    outside_prefix = models.CharField(
        _("prefix for an outside line"), max_length=4, blank=True, default="", validators=[OUTSIDE]
    )
    dial_as = models.CharField(
        _("public numbers are dialled"), max_length=10, choices=DialForm.choices, default=DialForm.E164
    )
    internal_digits = models.PositiveSmallIntegerField(
        _("longest number inside"), default=6, validators=[MinValueValidator(2), MaxValueValidator(12)]
    )
    external_allowed = models.BooleanField(_("any public number of the countries below"), default=False)
    allowed_countries = ArrayField(
        models.CharField(max_length=2, validators=[validate_country]),
        verbose_name=_("other countries"),
        size=MAX_ITEMS,
        default=list,
        blank=True,
    )
    allowed_prefixes = ArrayField(
        models.CharField(max_length=16, validators=[PREFIX]),
        verbose_name=_("always allowed"),
        size=MAX_ITEMS,
        default=list,
        blank=True,
    )
    blocked_prefixes = ArrayField(
        models.CharField(max_length=16, validators=[PREFIX]),
        verbose_name=_("never dialled"),
        size=MAX_ITEMS,
        default=list,
        blank=True,
    )
    own_numbers = ArrayField(
        models.CharField(max_length=16, validators=[PUBLIC]),
        verbose_name=_("the domain's own public numbers"),
        size=MAX_ITEMS,
        default=list,
        blank=True,
    )
    toll_allow = models.CharField(
        _("toll classes of secretaries"), max_length=200, blank=True, default="", validators=[CLASSES]
    )
    """FusionPBX's `toll_allow`; empty: not used."""
    per_call = models.PositiveSmallIntegerField(
        _("dials in one call"), default=10, validators=[MinValueValidator(1), MaxValueValidator(1_000)]
    )
    external_per_hour = models.PositiveIntegerField(
        _("public numbers an hour"), default=30, validators=[MaxValueValidator(1_000_000)]
    )
    external_per_day = models.PositiveIntegerField(
        _("public numbers a day"), default=200, validators=[MaxValueValidator(1_000_000)]
    )

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("dial rules")
        verbose_name_plural = _("dial rules")
        constraints = (
            models.CheckConstraint(condition=models.Q(dial_as__in=DialForm.values), name="eslbridge_dial_form"),
        )

    def __str__(self) -> str:
        return f"dial rules of {self.pk}"

    def as_rules(self, country: str) -> Rules:
        """As the policy takes them; `country` is used where the row names none."""
        return Rules(
            country=self.country or country,
            area_code=self.area_code,
            outside_prefix=self.outside_prefix,
            dial_as=self.dial_as,
            internal_digits=self.internal_digits,
            external_allowed=self.external_allowed,
            allowed_countries=frozenset(self.allowed_countries),
            allowed_prefixes=tuple(self.allowed_prefixes),
            blocked_prefixes=tuple(self.blocked_prefixes),
            own_numbers=frozenset(self.own_numbers),
            toll_allow=toll_classes(self.toll_allow or None),
            per_call=self.per_call,
            external_per_hour=self.external_per_hour,
            external_per_day=self.external_per_day,
        )
