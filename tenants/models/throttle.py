from __future__ import annotations

from django.db import models

from tenants.models.platform import PlatformModel


class Throttle(PlatformModel):
    """How often something was tried in vain. `subject_hash` is keyed, so that the table is no list of accounts."""

    subject_hash = models.CharField(primary_key=True, max_length=64, editable=False)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta(PlatformModel.Meta):
        indexes = (models.Index(fields=("last_at",), name="tenants_throttle_age"),)

    def __str__(self) -> str:
        return f"{self.subject_hash[:8]} {self.failures}"
