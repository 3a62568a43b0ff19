from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from secretary.models.destination import Destination
from tenants.models import Member, TenantModel


class MemberDestination(TenantModel):
    """A person is reached at a destination: their own extension, or a group or queue they work in.

    What is addressed to these destinations is what an agent calls their own: `secretary.selectors.own`.
    """

    link_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, db_column="member_uuid", db_constraint=False, related_name="+"
    )
    destination = models.ForeignKey(
        Destination,
        on_delete=models.CASCADE,
        db_column="destination_uuid",
        db_constraint=False,
        related_name="+",
    )

    class Meta(TenantModel.Meta):
        verbose_name = _("person at a destination")
        verbose_name_plural = _("people at destinations")
        constraints = (
            models.UniqueConstraint(
                fields=("domain", "member", "destination"), name="secretary_member_destination_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.member_id} {self.destination_id}"
