"""Tables of the installation itself, which no tenant sees."""

from __future__ import annotations

from typing import ClassVar, Self, TypeVar

from django.db import models

from tenants.context import require_scope
from tenants.errors import NoTenantError
from tenants.managers import TenantQuerySet
from tenants.models.base import Timestamped

M = TypeVar("M", bound=models.Model)


class PlatformManager(models.Manager[M]):
    """Answers in `platform_context` alone: inside a tenant there is nothing to be found, and asking is a bug."""

    def get_queryset(self) -> TenantQuerySet[M]:
        scope = require_scope()
        if not scope.is_platform:
            raise NoTenantError("The installation's tables are not a tenant's business: enter platform_context().")
        queryset: TenantQuerySet[M] = TenantQuerySet(self.model, using=self._db)
        return queryset.made_for(scope)


class PlatformModel(Timestamped):
    """A row of the installation, without a domain. Migrations add `tenants.rls.EnablePlatformRls`."""

    objects: ClassVar[PlatformManager[Self]] = PlatformManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"
