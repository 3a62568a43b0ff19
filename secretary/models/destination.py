from __future__ import annotations

import uuid
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from eslbridge.policy import DestinationKind as PolicyKind
from eslbridge.policy import check_number
from tenants.models import TenantModel

MAX_ALIASES: Final = 20


class DestinationKind(models.TextChoices):
    EXTENSION = PolicyKind.EXTENSION, _("Extension")
    RING_GROUP = PolicyKind.RING_GROUP, _("Ring group")
    QUEUE = PolicyKind.QUEUE, _("Call-centre queue")
    IVR = PolicyKind.IVR, _("IVR menu")
    VOICEMAIL = PolicyKind.VOICEMAIL, _("Voicemail")
    SECRETARY = PolicyKind.SECRETARY, _("Another secretary")
    EXTERNAL = PolicyKind.EXTERNAL, _("External number")


class TransferMode(models.TextChoices):
    """How a colleague gets a call."""

    BLIND = "blind", _("At once: the colleague picks up and has the caller")
    ANNOUNCED = "announced", _("Announced: the secretary says who is calling, the colleague accepts or declines")
    ATTENDED = "attended", _("Attended: the colleague may also ask back before accepting")


PERSONS: Final = frozenset({DestinationKind.EXTENSION, DestinationKind.RING_GROUP, DestinationKind.EXTERNAL})
"""Kinds behind which a person picks up: only they can be told who is calling."""
MAX_FALLBACKS: Final = 3
"""How many destinations are tried after the first one."""


class Destination(TenantModel):
    """A person or department a caller can be put through to. Models know its name and aliases, never its number."""

    destination_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=120)
    aliases = ArrayField(
        models.CharField(max_length=120), verbose_name=_("spoken aliases"), size=MAX_ALIASES, default=list, blank=True
    )
    number = models.CharField(
        _("number"), max_length=21, validators=[RegexValidator(r"^\+?[0-9*#]{1,20}\Z", _("Only digits, * and #."))]
    )
    kind = models.CharField(
        _("kind"), max_length=16, choices=DestinationKind.choices, default=DestinationKind.EXTENSION
    )
    message_email = models.EmailField(_("messages by e-mail to"), blank=True, default="")
    """Empty: to the people who are reached here."""
    enabled = models.BooleanField(_("enabled"), default=True)
    priority = models.SmallIntegerField(_("priority"), default=0)
    """Higher first, where several match what the caller said."""
    transfer_mode = models.CharField(
        _("transfer"), max_length=16, choices=TransferMode.choices, default=TransferMode.BLIND
    )
    ring_s = models.PositiveSmallIntegerField(
        _("rings for (s)"), default=25, validators=[MinValueValidator(5), MaxValueValidator(120)]
    )
    fallback = models.ForeignKey(
        "self",
        verbose_name=_("if nobody takes the call"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="fallback_uuid",
        db_constraint=False,
        related_name="+",
    )
    """Tried when nobody takes the call here, before the caller is back with the secretary. Never in a circle."""
    hours = models.ForeignKey(
        "secretary.OpeningHours",
        verbose_name=_("opening hours"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="hours_uuid",
        db_constraint=False,
        related_name="+",
    )
    """Null: reached whenever somebody asks for it."""

    class Meta(TenantModel.Meta):
        verbose_name = _("destination")
        verbose_name_plural = _("destinations")
        ordering = ("-priority", "name")
        constraints = (
            models.UniqueConstraint(fields=("domain", "destination_uuid"), name="secretary_destination_tenant"),
            models.UniqueConstraint(
                fields=("domain", "name"),
                name="secretary_destination_name",
                violation_error_message=_("There is a destination of this name."),
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=DestinationKind.values), name="secretary_destination_kind"
            ),
            models.CheckConstraint(
                condition=models.Q(transfer_mode__in=TransferMode.values), name="secretary_destination_mode"
            ),
            models.CheckConstraint(
                condition=models.Q(ring_s__gte=5, ring_s__lte=120), name="secretary_destination_ring"
            ),
            models.CheckConstraint(
                condition=~models.Q(fallback=models.F("destination_uuid")), name="secretary_destination_other"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        decision = check_number(self.number, PolicyKind(self.kind)) if self.kind in DestinationKind.values else None
        if decision is not None and not decision.allowed:
            raise ValidationError({"number": _("The platform does not dial this number (%s).") % decision.reason})
        if self.transfer_mode != TransferMode.BLIND and self.kind not in PERSONS:
            reason = _("A call can be announced where a person picks up: an extension, a group, an outside number.")
            raise ValidationError({"transfer_mode": reason})
