"""What every table of a tenant has."""

from __future__ import annotations

from typing import ClassVar, Self, cast
from uuid import UUID

from django.db import models

from tenants.context import current_domain_uuid
from tenants.managers import TenantManager


class Timestamped(models.Model):
    """When a row was made and last changed (UTC)."""

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class TenantModel(Timestamped):
    """A row that belongs to one domain: column `domain_uuid`, never null.

    `domain` is the active tenant unless told otherwise. Migrations add the policy with `tenants.rls.EnableTenantRls`
    and, for a foreign key to another tenant table, `tenants.rls.TenantForeignKey`; tests/tenants/test_tables.py fails
    for a table or a key without them.
    """

    domain = models.ForeignKey(
        "tenants.Domain",
        on_delete=models.CASCADE,
        db_column="domain_uuid",
        default=current_domain_uuid,
        related_name="+",
        editable=False,
    )

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        abstract = True
        # Related lookups and saving go through the same wall; Django's plain manager would only have PostgreSQL's.
        base_manager_name = "objects"

    @property
    def domain_uuid(self) -> UUID:
        return cast(UUID, self.domain_id)  # only a row not saved yet, made outside of a tenant, has none
