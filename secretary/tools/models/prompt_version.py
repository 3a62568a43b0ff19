from __future__ import annotations

import uuid
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from secretary.models.secretary import MAX_PROMPT, Secretary
from tenants.models import TenantModel

MAX_NAME: Final = 80
KEPT: Final = 100
"""Versions of one secretary without a name; older ones are forgotten."""


class PromptVersion(TenantModel):
    """A secretary's facts about the business as they once were. The live text is `Secretary.prompt`."""

    version_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    secretary = models.ForeignKey(
        Secretary,
        verbose_name=_("secretary"),
        on_delete=models.CASCADE,
        db_column="secretary_uuid",
        db_constraint=False,
        related_name="prompt_versions",
    )
    number = models.PositiveIntegerField(_("version"))
    name = models.CharField(_("name"), max_length=MAX_NAME, blank=True, default="")
    """Given by a person: a version with a name is kept for ever."""
    text = models.TextField(_("text"), max_length=MAX_PROMPT, blank=True, default="")
    author = models.CharField(_("by"), max_length=200, blank=True, default="")

    class Meta(TenantModel.Meta):
        verbose_name = _("version of a prompt")
        verbose_name_plural = _("versions of prompts")
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=("domain", "secretary", "number"), name="tools_promptversion_number"),
        )

    def __str__(self) -> str:
        return self.name or f"#{self.number}"
