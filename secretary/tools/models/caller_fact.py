from __future__ import annotations

import uuid
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models import TenantModel

MAX_FACT: Final = 200
MAX_PER_CALLER: Final = 20
"""Of one number; the oldest makes room."""


class CallerFact(TenantModel):
    """One thing that a secretary was asked to remember of whoever calls from a number.

    A caller's number is shown by the network and can be forged: a fact is a courtesy, never a proof of identity.
    """

    fact_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(_("caller's number"), max_length=24)
    """With its country code, digits alone: see `secretary.services.numbers`."""
    text = models.CharField(_("what is remembered"), max_length=MAX_FACT)
    call_uuid = models.UUIDField(null=True, blank=True)
    """In which call; that call's record may be gone."""

    class Meta(TenantModel.Meta):
        verbose_name = _("fact about a caller")
        verbose_name_plural = _("facts about callers")
        ordering = ("-created_at",)
        indexes = (
            models.Index(fields=("domain", "number", "-created_at"), name="tools_callerfact_number"),
            models.Index(fields=("domain", "-created_at"), name="tools_callerfact_recent"),
        )

    def __str__(self) -> str:
        return str(self.fact_uuid)
