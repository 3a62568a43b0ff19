from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from secretary.models.call import Call
from tenants.models import TenantModel


class Speaker(models.TextChoices):
    CALLER = "caller", _("Caller")
    SECRETARY = "secretary", _("Secretary")


class Utterance(TenantModel):
    """What one side said in one go, cut where the other stopped hearing it. Times in ms since the call's start."""

    utterance_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    call = models.ForeignKey(
        Call, on_delete=models.CASCADE, db_column="call_uuid", db_constraint=False, related_name="utterances"
    )
    position = models.PositiveIntegerField()
    who = models.CharField(max_length=10, choices=Speaker.choices)
    text = models.TextField()
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    interrupted = models.BooleanField(default=False)

    class Meta(TenantModel.Meta):
        verbose_name = _("utterance")
        verbose_name_plural = _("utterances")
        ordering = ("position",)
        indexes = (models.Index(fields=("domain", "created_at"), name="secretary_utterance_age"),)
        constraints = (
            models.UniqueConstraint(fields=("domain", "call", "position"), name="secretary_utterance_position"),
            models.CheckConstraint(condition=models.Q(who__in=Speaker.values), name="secretary_utterance_who"),
            models.CheckConstraint(
                condition=models.Q(start_ms__lte=models.F("end_ms")), name="secretary_utterance_times"
            ),
        )

    def __str__(self) -> str:
        return f"{self.who}: {self.text[:40]}"
