from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models.base import TenantModel


class Role(models.TextChoices):
    ADMIN = "admin", _("Administrator")
    AGENT = "agent", _("Agent")
    VIEWER = "viewer", _("Read only")


class Member(TenantModel):
    """A person in a domain. One person may be a member of several; the operator is Django's superuser."""

    member_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(_("role"), max_length=8, choices=Role.choices, default=Role.VIEWER)

    class Meta(TenantModel.Meta):
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = (
            models.UniqueConstraint(fields=("domain", "user"), name="tenants_member_once"),
            models.UniqueConstraint(fields=("domain", "member_uuid"), name="tenants_member_tenant"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="tenants_member_role"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"
