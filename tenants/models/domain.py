from __future__ import annotations

import uuid
import zoneinfo
from typing import ClassVar, Final, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.managers import DomainManager
from tenants.models.base import Timestamped

# A DNS name in lower case. It is also the tenant's dialplan context and part of ESL commands, so nothing else may be;
# hence `\Z`, since `$` would let a line break at the end through.
NAME_PATTERN: Final = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\Z"


class Language(models.TextChoices):
    ENGLISH = "en", _("English")
    BRAZILIAN_PORTUGUESE = "pt-br", _("Brazilian Portuguese")


class SecondFactorRule(models.TextChoices):
    """Who must sign in with two factors. Never less than the installation's own rule."""

    INSTALLATION = "", _("As the installation says")
    ADMINISTRATORS = "administrators", _("Administrators")
    EVERYBODY = "everybody", _("Everybody")


def validate_time_zone(value: str) -> None:
    try:
        zoneinfo.ZoneInfo(value)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError) as error:
        raise ValidationError(_("%(value)s is not a time zone."), params={"value": value}) from error


class Domain(Timestamped):
    """A tenant. `domain_uuid` and `name` are FusionPBX's; the name may change there, the UUID never."""

    domain_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=253, unique=True, validators=[RegexValidator(NAME_PATTERN)])
    enabled = models.BooleanField(_("enabled"), default=True)
    language = models.CharField(_("language"), max_length=8, choices=Language.choices, default=Language.ENGLISH)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[validate_time_zone])
    max_calls = models.PositiveSmallIntegerField(
        _("simultaneous calls"), default=10, validators=[MaxValueValidator(10_000)]
    )
    second_factor = models.CharField(
        _("two-factor sign-in"),
        max_length=16,
        choices=SecondFactorRule.choices,
        default=SecondFactorRule.INSTALLATION,
        blank=True,
    )

    objects: ClassVar[DomainManager[Self]] = DomainManager()

    class Meta:
        base_manager_name = "objects"
        ordering = ("name",)
        verbose_name = _("domain")
        verbose_name_plural = _("domains")
        constraints = (
            models.CheckConstraint(condition=models.Q(name__regex=NAME_PATTERN), name="tenants_domain_name"),
            models.CheckConstraint(condition=models.Q(language__in=Language.values), name="tenants_domain_language"),
            models.CheckConstraint(
                condition=models.Q(second_factor__in=SecondFactorRule.values), name="tenants_domain_second_factor"
            ),
        )

    def __str__(self) -> str:
        return self.name
