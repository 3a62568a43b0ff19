from __future__ import annotations

import uuid
from typing import Final

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from secretary.models.secretary import Secretary
from tenants.models import TenantModel

EXTENSION_PATTERN: Final = r"^8[0-9]{3}\Z"


class ExtensionMapping(TenantModel):
    """Which secretary answers at 8XXX."""

    mapping_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    extension = models.CharField(
        _("extension"), max_length=4, validators=[RegexValidator(EXTENSION_PATTERN, _("8000 to 8999."))]
    )
    secretary = models.ForeignKey(
        Secretary,
        verbose_name=_("secretary"),
        on_delete=models.CASCADE,
        db_column="secretary_uuid",
        db_constraint=False,
        related_name="extensions",
    )
    enabled = models.BooleanField(_("enabled"), default=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("extension")
        verbose_name_plural = _("extensions")
        ordering = ("extension",)
        constraints = (
            models.UniqueConstraint(
                fields=("domain", "extension"),
                name="secretary_extension_once",
                violation_error_message=_("This extension already has a secretary."),
            ),
            models.CheckConstraint(
                condition=models.Q(extension__regex=EXTENSION_PATTERN), name="secretary_extension_8xxx"
            ),
        )

    def __str__(self) -> str:
        return self.extension
