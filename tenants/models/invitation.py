from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models.base import TenantModel, Timestamped
from tenants.models.member import Role
from tenants.models.platform import PlatformModel

OPEN = models.Q(accepted_at__isnull=True, revoked_at__isnull=True)


class InvitationFields(Timestamped):
    """An address that may become somebody. The link's secret has 256 random bits and is kept as a hash."""

    invitation_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(_("e-mail"), max_length=150)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    expires_at = models.DateTimeField(_("expires"), editable=False)
    accepted_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    mailed_at = models.DateTimeField(null=True, editable=False)
    """When a mail server took it; null where the link was handed over otherwise."""
    invited_by = models.CharField(max_length=150, blank=True, default="", editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.email

    def is_open(self, now: datetime) -> bool:
        """Neither used, nor revoked, nor expired."""
        return self.accepted_at is None and self.revoked_at is None and self.expires_at > now


class Invitation(InvitationFields, TenantModel):
    """Into a domain, with a role. The link names the domain, so that looking it up never leaves the tenant."""

    role = models.CharField(_("role"), max_length=8, choices=Role.choices, default=Role.AGENT)

    class Meta(TenantModel.Meta):
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = (
            models.UniqueConstraint(fields=("domain", "email"), condition=OPEN, name="tenants_invitation_open_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="tenants_invitation_role"),
        )


class OperatorInvitation(InvitationFields, PlatformModel):
    """To run the installation."""

    class Meta(PlatformModel.Meta):
        verbose_name = _("operator's invitation")
        verbose_name_plural = _("operators' invitations")
        constraints = (
            models.UniqueConstraint(fields=("email",), condition=OPEN, name="tenants_operator_invitation_open_once"),
        )
