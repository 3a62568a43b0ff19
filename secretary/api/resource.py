"""A resource of a domain: its addresses, and the six things that can be done with it.

A resource is a class of these parts, with a model, a serializer and the functions that write:

    class Destinations(Listed, Shown, Created, Replaced, Patched, Deleted, Resource): ...
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

import psycopg
from django.db import IntegrityError, models
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import ViewSetMixin

from secretary.api import conditions, pages
from secretary.api.problems import Problem, invalid
from secretary.api.serializing import OneQuery, PageQuery, Query, ResourceSerializer, chosen_fields
from secretary.api.view import DomainView
from secretary.selectors.keyset import keyset_page
from secretary.services.optimistic import lock_settings

Actions = dict[str, str | Any]

ON_COLLECTION: Final[Actions] = {"get": "list", "post": "create"}
ON_ONE: Final[Actions] = {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}


class Resource(ViewSetMixin, DomainView):
    """Things of one kind in a domain, below `/domains/{domain_uuid}/<path>`."""

    path: ClassVar[str]
    lookup: ClassVar[str]
    """The model's primary key, by its name; also the name in the address."""
    model: ClassVar[type[Any]]
    serializer_class: ClassVar[type[ResourceSerializer]]
    page_query: ClassVar[type[PageQuery]] = PageQuery
    order: ClassVar[str] = "created_at"
    """The field of time that pages go by, newest first."""

    @property
    def query_class(self) -> type[Query]:  # type: ignore[override]
        action = getattr(self, "action", "")
        return self.page_query if action == "list" else OneQuery if action == "retrieve" else Query

    @classmethod
    def urls(cls) -> list[URLPattern]:
        base = f"domains/<uuid:domain_uuid>/{cls.path}"
        one = f"{base}/<uuid:{cls.lookup}>"
        return [
            path(where, cls.as_view(actions), name=f"{cls.path}-{name}")
            for where, name, every in ((base, "list", ON_COLLECTION), (one, "detail", ON_ONE))
            if (actions := {method: action for method, action in every.items() if hasattr(cls, action)})
        ]

    def rows(self) -> models.QuerySet[Any]:
        """The domain's rows, with what the serializer needs of others."""
        found: models.QuerySet[Any] = self.model.objects.all()
        return found

    def filtered(self, rows: models.QuerySet[Any], query: dict[str, Any]) -> models.QuerySet[Any]:
        """The rows that the query's filters leave; here every filter is a field of the same name."""
        wanted = {
            name: value for name, value in query.items() if name not in ("limit", "cursor", "fields") and value != ""
        }
        return rows.filter(**wanted)

    def uuid(self) -> UUID:
        found: UUID = self.kwargs[self.lookup]
        return found

    def row(self) -> Any:
        """The row that the address names. Raises Problem where the domain has none, whoever else may."""
        row = self.rows().filter(pk=self.uuid()).first()
        if row is None:
            raise Problem("not_found")
        return row

    def shown(self, row: Any, *, status: int = 200) -> Response:
        data = self.serializer_class(row, context={"view": self}).data
        return Response(data, status=status, headers={"ETag": conditions.etag_of(row)})

    def checked(self, *, partial: bool = False, row: Any = None) -> dict[str, Any]:
        """The request's body as values of the model."""
        data: Any = self.request.data
        named = data.get(self.lookup)
        if named is not None and self.lookup in self.kwargs and str(named).lower() != str(self.uuid()):
            raise invalid(self.lookup, "immutable", _("The body names another object than the address."))
        return self.body(self.serializer_class(row, data=data, partial=partial, context={"view": self}))

    # What writes; a resource overrides those it has.
    def perform_create(self, values: dict[str, Any]) -> Any:
        raise NotImplementedError

    def perform_update(self, row: Any, values: dict[str, Any]) -> Any:
        raise NotImplementedError

    def perform_destroy(self, row: Any) -> None:
        raise NotImplementedError


class Listed(Resource):
    pagination_class: ClassVar = pages.CursorPages

    def list(self, request: Request, **_: Any) -> Response:
        """A page of them, newest first."""
        query = self.query()
        only = chosen_fields(query.get("fields"), self.serializer_class)
        edges = pages.edges(query.get("cursor", ""))
        page = keyset_page(self.filtered(self.rows(), query), at=self.order, size=query["limit"], **edges)
        serializer = self.serializer_class(page.items, many=True, only=only, context={"view": self})
        return Response(pages.page_body(page, list(serializer.data)))


class Shown(Resource):
    def retrieve(self, request: Request, **_: Any) -> Response:
        """One of them. With `If-None-Match`, 304 where it is still the same."""
        only = chosen_fields(self.query().get("fields"), self.serializer_class)
        row = self.row()
        headers = {"ETag": conditions.etag_of(row), "Cache-Control": "private, no-cache"}
        if conditions.not_modified(request, row):
            return Response(status=304, headers=headers)
        return Response(self.serializer_class(row, only=only, context={"view": self}).data, headers=headers)


class Created(Resource):
    def create(self, request: Request, **_: Any) -> Response:
        """Make one, with a UUID of our choice. With an `Idempotency-Key` it is safe to send it again."""
        lock_settings()
        row = self.perform_create(self.checked())
        response = self.shown(row, status=201)
        response.headers["Location"] = f"{request.path}/{row.pk}"
        return response


class Replaced(Resource):
    def update(self, request: Request, **_: Any) -> Response:
        """Make or replace the one of this UUID: what the body leaves out gets its default.

        Without a condition it is an upsert; with `If-Match` it replaces that version, with `If-None-Match: *` it only
        makes.
        """
        # Locked in the order in which the services do it, so that two writers wait and never cross.
        lock_settings()
        row = self.rows().filter(pk=self.uuid()).first()
        values = with_defaults(self.serializer_class, self.checked(row=row), self.model)
        conditions.check_match(request, row, required=False)
        if row is not None:
            return self.shown(self.perform_update(row, values))
        try:
            made = self.perform_create({self.lookup: self.uuid(), **values})
        except IntegrityError as error:
            # Somebody else's: as absent as it can be.
            if _constraint(error).endswith("_pkey"):
                raise Problem("not_found") from error
            raise
        return self.shown(made, status=201)


class Patched(Resource):
    def partial_update(self, request: Request, **_: Any) -> Response:
        """Change some fields of one. `If-Match` is required: the ETag that was read, or `*`."""
        lock_settings()
        row = self.row()
        values = self.checked(partial=True, row=row)
        conditions.check_match(request, row, required=True)
        return self.shown(self.perform_update(row, values))


class Deleted(Resource):
    def destroy(self, request: Request, **_: Any) -> Response:
        """Delete one. `If-Match` is required: the ETag that was read, or `*`."""
        lock_settings()
        row = self.row()
        conditions.check_match(request, row, required=True)
        self.perform_destroy(row)
        return Response(status=204)


def seen(row: Any) -> datetime:
    """When the row was last changed, as the services want to be told."""
    found: datetime = row.updated_at
    return found


def with_defaults(
    serializer_class: type[BaseSerializer[Any]], values: dict[str, Any], model: type[models.Model]
) -> dict[str, Any]:
    """The values with the model's default for every field that a whole object could have had."""
    complete = dict(values)
    fields: dict[str, Any] = getattr(serializer_class(), "fields", {})
    for field in fields.values():
        if not field.read_only and not field.write_only and field.source not in complete:
            complete[field.source] = model._meta.get_field(field.source).get_default()  # type: ignore[union-attr]
    return complete


def _constraint(error: IntegrityError) -> str:
    cause = error.__cause__
    return (cause.diag.constraint_name or "") if isinstance(cause, psycopg.Error) else ""
