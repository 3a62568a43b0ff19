"""The manager of every tenant model: no tenant, no query; and never another tenant's rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, TypeVar

from django.db import models

from tenants.context import Scope, require_scope
from tenants.errors import NoTenantError

M = TypeVar("M", bound=models.Model)


class TenantQuerySet(models.QuerySet[M]):
    """A query that remembers whom it was made for, and refuses to run for somebody else.

    Querysets are lazy: one that leaves its `with tenant_context` would find nothing, silently. This one raises.
    """

    _made_for: Scope | None = None

    def made_for(self, scope: Scope) -> TenantQuerySet[M]:
        self._made_for = scope
        return self

    def _clone(self) -> TenantQuerySet[M]:
        clone: TenantQuerySet[M] = super()._clone()  # type: ignore[misc]
        clone._made_for = self._made_for
        return clone

    def _guard(self) -> None:
        scope = require_scope()
        if self._made_for is not None and self._made_for != scope:
            raise NoTenantError("This query was made in another tenant's context.")

    def _fetch_all(self) -> None:
        if self._result_cache is None:
            self._guard()
        super()._fetch_all()

    def iterator(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        self._guard()
        return super().iterator(*args, **kwargs)

    def count(self) -> int:
        self._guard()
        return super().count()

    def exists(self) -> bool:
        self._guard()
        return super().exists()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self._guard()
        return super().aggregate(*args, **kwargs)

    def update(self, **kwargs: Any) -> int:
        self._guard()
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        self._guard()
        return super().delete()


class TenantManager(models.Manager[M]):
    """Filters by the active tenant. Row-level security does the same below; the filter also gives it an index."""

    tenant_field: ClassVar[str] = "domain_id"

    def get_queryset(self) -> TenantQuerySet[M]:
        scope = require_scope()
        queryset: TenantQuerySet[M] = TenantQuerySet(self.model, using=self._db)
        if scope.domain_uuid is not None:
            queryset = queryset.filter(**{self.tenant_field: scope.domain_uuid})
        return queryset.made_for(scope)


class DomainManager(TenantManager[M]):
    """The domains themselves: a tenant sees its own."""

    tenant_field = "domain_uuid"
