"""Domains: the tenants. Made and deleted by the installation; a domain's own key may change its language and time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from uuid import UUID

from django.db import models
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSetMixin

from secretary.api import conditions, pages
from secretary.api.problems import FieldError, Problem
from secretary.api.resource import ON_ONE, Deleted, Patched, Replaced, Shown, with_defaults
from secretary.api.serializing import PageQuery, Query, ResourceSerializer, chosen_fields
from secretary.api.view import ApiView
from secretary.selectors.keyset import keyset_page
from tenants import audit
from tenants.context import platform_context, tenant_context
from tenants.models import Domain
from tenants.services import create_domain, update_domain

OPERATORS: frozenset[str] = frozenset({"name", "enabled", "max_calls"})
"""What only the installation decides about a domain."""


class DomainSerializer(ResourceSerializer):
    class Meta:
        model = Domain
        fields = (
            "domain_uuid", "name", "enabled", "language", "time_zone", "max_calls", "created_at", "updated_at",
        )  # fmt: skip


class DomainQuery(PageQuery):
    name = serializers.CharField(required=False, max_length=253)
    enabled = serializers.BooleanField(required=False)


def _needs_installation() -> Problem:
    return Problem("forbidden", _("This needs a key of the installation."))


class Domains(ViewSetMixin, ApiView):
    """The list: all of them for the installation, its own for a domain's key."""

    operation = "domains"
    scope = "domains"
    serializer_class = DomainSerializer
    pagination_class: ClassVar = pages.CursorPages

    @property
    def query_class(self) -> type[Query]:  # type: ignore[override]
        return DomainQuery if getattr(self, "action", "") == "list" else Query

    @contextmanager
    def context(self, request: Request) -> Iterator[None]:
        if self.principal.domain_uuid is not None:
            with tenant_context(self.principal.domain_uuid):
                yield
        elif self.principal.is_operator:
            with platform_context():
                yield
        else:
            raise _needs_installation()

    def list(self, request: Request) -> Response:
        """A page of domains, the newest first."""
        query = self.query()
        only = chosen_fields(query.get("fields"), DomainSerializer)
        wanted = {name: query[name] for name in ("name", "enabled") if name in query}
        edges = pages.edges(query.get("cursor", ""))
        page = keyset_page(Domain.objects.filter(**wanted), at="created_at", size=query["limit"], **edges)
        return Response(pages.page_body(page, list(DomainSerializer(page.items, many=True, only=only).data)))

    def create(self, request: Request) -> Response:
        """Make a domain, with a UUID of our choice; `PUT` takes FusionPBX's."""
        if not self.principal.is_operator:
            raise _needs_installation()
        domain = create_domain(**self.body(DomainSerializer(data=request.data)))
        headers = {"ETag": conditions.etag_of(domain), "Location": f"{request.path}/{domain.pk}"}
        return Response(DomainSerializer(domain).data, status=201, headers=headers)


class OneDomain(Shown, Replaced, Patched, Deleted):
    path = "domains"
    scope = "domains"
    lookup = "domain_uuid"
    model = Domain
    serializer_class = DomainSerializer

    @classmethod
    def urls(cls) -> list[URLPattern]:
        return [
            path("domains", Domains.as_view({"get": "list", "post": "create"}), name="domains-list"),
            path("domains/<uuid:domain_uuid>", cls.as_view(ON_ONE), name="domains-detail"),
        ]

    def rows(self) -> models.QuerySet[Domain]:
        return Domain.objects.all()

    def found(self, request: Request) -> Domain | None:
        # A domain that is not there can be made, by the installation.
        may_make = request.method == "PUT" and self.principal.is_operator
        return super().found(request) if not may_make else Domain.objects.first()

    def authorize(self, request: Request) -> None:
        super().authorize(request)
        if request.method == "DELETE" and not self.principal.is_operator:
            raise _needs_installation()

    def update(self, request: Request, **_: Any) -> Response:
        """Make or replace the domain of this UUID: what the body leaves out gets its default.

        A domain's own key may replace it, but not change what the installation decides: name, enabled, max_calls.
        """
        row = Domain.objects.select_for_update(no_key=True).first()
        values = with_defaults(DomainSerializer, self.checked(row=row), Domain)
        conditions.check_match(request, row, required=False)
        if row is not None:
            return self.shown(self.perform_update(row, values))
        return self.shown(create_in_place(self.uuid(), values), status=201)

    def perform_update(self, row: Domain, values: dict[str, Any]) -> Domain:
        changed = [name for name in OPERATORS if name in values and values[name] != getattr(row, name)]
        if changed and not self.principal.is_operator:
            raise operator_only(changed)
        return update_domain(domain_uuid=row.pk, **values)

    def perform_destroy(self, row: Domain) -> None:
        """With all that it has: calls, messages, recordings' records. A domain must be disabled first."""
        if row.enabled:
            raise Problem("conflict", _("Disable the domain first: deleting it deletes all its calls and messages."))
        audit.deleted(row)
        row.delete()


def operator_only(names: Iterable[str]) -> Problem:
    """A domain's key wants to change what only the installation decides."""
    reason = _("Only the installation decides this.")
    return Problem("forbidden", errors=[FieldError.of(name, "operator_only", reason) for name in sorted(names)])


def create_in_place(domain_uuid: UUID, values: dict[str, Any]) -> Domain:
    """Make a domain inside its own context, which its own policy allows. Raises ValidationError, IntegrityError."""
    domain = Domain(domain_uuid=domain_uuid, **values)
    domain.full_clean()
    domain.save(force_insert=True)
    audit.saved(domain, None)
    return domain
