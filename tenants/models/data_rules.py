from __future__ import annotations

from typing import ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.managers import TenantManager
from tenants.models.base import Timestamped

_DAYS = (MinValueValidator(1), MaxValueValidator(36_500))


class DataRules(Timestamped):
    """How long a domain keeps what callers leave behind (days; null: for ever), and what is never written down.

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
    transcripts_days = models.PositiveIntegerField(_("transcripts"), null=True, blank=True, validators=_DAYS)
    recordings_days = models.PositiveIntegerField(_("recordings"), null=True, blank=True, validators=_DAYS)
    messages_days = models.PositiveIntegerField(_("messages"), null=True, blank=True, validators=_DAYS)
    events_days = models.PositiveIntegerField(
        _("timelines and webhook events"), null=True, blank=True, validators=_DAYS
    )
    facts_days = models.PositiveIntegerField(
        _("what is remembered of callers"), null=True, blank=True, validators=_DAYS
    )
    redact_cards = models.BooleanField(_("card numbers and security codes"), default=True)
    redact_accounts = models.BooleanField(_("bank accounts (IBAN)"), default=False)
    redact_identity = models.BooleanField(_("CPF, CNPJ and social security numbers"), default=False)
    redact_passwords = models.BooleanField(_("passwords"), default=False)
    country_code = models.CharField(
        _("telephone country code"),
        max_length=3,
        blank=True,
        default="",
        validators=[RegexValidator(r"^[1-9][0-9]{0,2}\Z")],
    )
    """Of the numbers that callers are shown without one, for example 55. Empty: 55 where Portuguese is the domain's
    language, else 1."""

    announce_ai = models.BooleanField(_("callers are told that they speak with a machine"), default=False)
    announce_recording = models.BooleanField(_("callers are told that they are recorded"), default=True)
    """Before a word is recorded. Neither a prompt nor a model can leave these out."""
    remember_callers = models.BooleanField(_("secretaries may remember callers"), default=False)

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("data rules")
        verbose_name_plural = _("data rules")

    def __str__(self) -> str:
        return f"data rules of {self.pk}"
