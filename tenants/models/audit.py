from __future__ import annotations

import uuid
from typing import ClassVar, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tenants.context import current_domain_uuid
from tenants.managers import TenantManager
from tenants.models.platform import PlatformManager


class EventFields(models.Model):
    """Who changed what, when, from where. Written by `tenants.audit` alone; PostgreSQL refuses UPDATE and DELETE.

    Actor and object are kept by kind, identity and the name they had then, not by key: the record outlives both.
    """

    event_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField(_("when"), default=timezone.now, editable=False)
    actor_kind = models.CharField(max_length=24, editable=False)
    """`user`, `operator`, `installation-key`, `domain-key`, `fusionpbx-user` or `system`."""
    actor_id = models.CharField(max_length=64, blank=True, default="", editable=False)
    actor_label = models.CharField(max_length=200, blank=True, default="", editable=False)
    action = models.CharField(max_length=64, editable=False)
    """`<what>.<verb in the past>`, such as `secretary.changed`."""
    object_kind = models.CharField(max_length=40, editable=False)
    object_id = models.CharField(max_length=64, blank=True, default="", editable=False)
    object_label = models.CharField(max_length=200, blank=True, default="", editable=False)
    old = models.JSONField(null=True, editable=False)
    """Values before, by field: those that changed, or all of what was deleted. Secrets are masked."""
    new = models.JSONField(null=True, editable=False)
    address = models.GenericIPAddressField(null=True, editable=False)
    request_id = models.CharField(max_length=64, blank=True, default="", editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.actor_label} {self.action} {self.object_label}"


class AuditEvent(EventFields):
    """A line of one domain's record."""

    # No constraint and no cascade: the record of a domain stays when the domain goes, for the operator.
    domain = models.ForeignKey(
        "tenants.Domain",
        on_delete=models.DO_NOTHING,
        db_column="domain_uuid",
        db_constraint=False,
        db_index=False,
        default=current_domain_uuid,
        related_name="+",
        editable=False,
    )

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("entry of the record")
        verbose_name_plural = _("record of changes")
        indexes = (
            models.Index(fields=("domain", "-at", "-event_uuid"), name="tenants_audit_recent"),
            models.Index(fields=("domain", "object_id", "-at"), name="tenants_audit_object"),
            models.Index(fields=("-at", "-event_uuid"), name="tenants_audit_platform"),
        )


class InstallationEvent(EventFields):
    """A line of the installation's record: operators, accounts, sign-ins. No tenant sees it."""

    objects: ClassVar[PlatformManager[Self]] = PlatformManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("entry of the installation's record")
        verbose_name_plural = _("the installation's record of changes")
        indexes = (
            models.Index(fields=("-at", "-event_uuid"), name="tenants_installation_recent"),
            models.Index(fields=("object_id", "-at"), name="tenants_installation_object"),
        )
