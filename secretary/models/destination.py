from __future__ import annotations

import uuid
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
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
    VOICEMAIL = PolicyKind.VOICEMAIL, _("Voicemail")
    EXTERNAL = PolicyKind.EXTERNAL, _("External number")


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
    enabled = models.BooleanField(_("enabled"), default=True)
    priority = models.SmallIntegerField(_("priority"), default=0)
    """Higher first, where several match what the caller said."""

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
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        decision = check_number(self.number, PolicyKind(self.kind)) if self.kind in DestinationKind.values else None
        if decision is not None and not decision.allowed:
            raise ValidationError({"number": _("The platform does not dial this number (%s).") % decision.reason})
