"""What was answered under an Idempotency-Key, so that asking again gives the same answer and does nothing."""

from __future__ import annotations

import uuid

from django.db import models

from tenants.models import PlatformModel, TenantModel
from tenants.models.base import Timestamped


class Remembered(Timestamped):
    """One request that was answered with success, or (status 0) that is being worked on in several transactions."""

    request_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    principal = models.CharField(max_length=200)
    """Whose key it is: two clients may choose the same Idempotency-Key."""
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    """Hexadecimal SHA-256 of method, path and body."""
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict, blank=True)
    body = models.TextField(blank=True, default="")
    """JSON, without what is shown only once."""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.principal} {self.key}"


class IdempotentRequest(Remembered, TenantModel):
    """A request about one domain."""

    class Meta(TenantModel.Meta):
        constraints = (models.UniqueConstraint(fields=("domain", "principal", "key"), name="api_idempotent_once"),)
        indexes = (models.Index(fields=("created_at",), name="api_idempotent_age"),)


class InstallationRequest(Remembered, PlatformModel):
    """A request about the installation: to make a domain, a key, or many domains at once."""

    class Meta(PlatformModel.Meta):
        constraints = (models.UniqueConstraint(fields=("principal", "key"), name="api_installation_once"),)
        indexes = (models.Index(fields=("created_at",), name="api_installation_age"),)
