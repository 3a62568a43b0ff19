"""Whole domains at once: one, or five hundred, each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import DatabaseError, IntegrityError
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from secretary.api.idempotency import once_in_steps
from secretary.api.problems import FieldError, Problem, invalid, problem_of
from secretary.api.resources.domains import OPERATORS, operator_only
from secretary.api.schema import ProblemSerializer
from secretary.api.serializing import Query, StrictSerializer
from secretary.api.view import ApiView, DomainView
from secretary.provisioning.carry_out import Provisioned, provision
from secretary.provisioning.document import MOST_DOMAINS, DomainDocument, NamedDomainDocument
from secretary.provisioning.plan import KINDS, DocumentError
from tenants.models import Domain

MAX_BODY = 32 * 1024 * 1024
"""Bytes: five hundred domains of ten secretaries are some 4 MB."""


class ProvisionQuery(Query):
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="Say what would happen, and do nothing."
    )


class Counts(serializers.Serializer[Any]):
    created = serializers.IntegerField()
    changed = serializers.IntegerField()
    deleted = serializers.IntegerField()
    unchanged = serializers.IntegerField()


class KindCounts(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, Any]:
        return {kind: Counts() for kind in KINDS[1:]}


class DomainResult(serializers.Serializer[Any]):
    """How it went with one domain."""

    domain_uuid = serializers.UUIDField(allow_null=True, help_text="Null: what the document names is none.")
    result = serializers.ChoiceField(choices=["created", "changed", "unchanged", "failed"])
    counts = KindCounts(allow_null=True)
    problem = ProblemSerializer(allow_null=True)


class DomainsBody(StrictSerializer):
    """Up to five hundred domains."""

    domains = NamedDomainDocument(many=True)


class ResultsBody(serializers.Serializer[Any]):
    failed = serializers.IntegerField(help_text="How many of them failed; nothing of those has happened.")
    items = DomainResult(many=True)


class ProvisionDomain(DomainView):
    """One domain. Its own key may do it too, as far as it may change the domain by other ways."""

    operation = "provision-domain"
    scope = "provision"
    query_class = ProvisionQuery
    max_body = MAX_BODY

    def found(self, request: Request) -> Domain | None:
        return Domain.objects.first() if self.principal.is_operator else super().found(request)

    @extend_schema(request=DomainDocument, responses=DomainResult)
    def put(self, request: Request, **kwargs: Any) -> Response:
        """Make a domain what the document says: secretaries, extensions, rules and all the rest, in one transaction.

        What is left out stays as it is; with `prune` the objects not listed are deleted, of the kinds that are listed.
        """
        domain_uuid: UUID = kwargs["domain_uuid"]
        values = self.body(DomainDocument(data=request.data))
        if values.get("domain_uuid", domain_uuid) != domain_uuid:
            raise invalid("domain_uuid", "immutable", _("The body names another object than the address."))
        if not self.principal.is_operator:
            changed = [name for name in OPERATORS & set(values) if values[name] != getattr(self.domain, name)]
            changed += ["quota"] if "quota" in values else []
            if changed:
                raise operator_only(changed)
        done = _done(domain_uuid, values, dry_run=self.query()["dry_run"])
        return Response(_result(domain_uuid, done))


class ProvisionMany(ApiView):
    """Many domains, for the installation. Each is its own transaction, so there is none around them."""

    operation = "provision"
    scope = "provision"
    query_class = ProvisionQuery
    max_body = MAX_BODY

    @contextmanager
    def context(self, request: Request) -> Iterator[None]:
        if not self.principal.is_operator:
            raise Problem("forbidden", _("This needs a key of the installation."))
        yield

    @extend_schema(request=DomainsBody, responses={200: ResultsBody, 207: ResultsBody})
    def post(self, request: Request) -> Response:
        """Make up to five hundred domains what the document says. 207 where some of them failed.

        Doing it again changes nothing that is right already.
        """
        data: Any = request.data
        found = data.get("domains")
        if set(data) != {"domains"} or not isinstance(found, list):
            raise invalid("domains", "required", _("A list of domains is wanted, and nothing else."))
        if not 1 <= len(found) <= MOST_DOMAINS:
            raise invalid("domains", "max_length", _("From 1 to %(most)d domains.") % {"most": MOST_DOMAINS})
        dry_run = self.query()["dry_run"]
        serializer = NamedDomainDocument()
        items = [self._one(serializer, position, document, dry_run) for position, document in enumerate(found)]
        failed = sum(item["result"] == "failed" for item in items)
        return Response({"failed": failed, "items": items}, status=207 if failed else 200)

    def _one(self, serializer: NamedDomainDocument, position: int, document: Any, dry_run: bool) -> dict[str, Any]:
        named = document.get("domain_uuid") if isinstance(document, dict) else None
        try:
            values = serializer.run_validation(document)
            return _result(values["domain_uuid"], _done(values["domain_uuid"], values, dry_run=dry_run))
        except (ValidationError, Problem, DatabaseError) as error:
            problem = problem_of(error)
            place = f"domains[{position}]"
            problem.errors = [
                replace(one, field=f"{place}.{one.field}" if one.field else place) for one in problem.errors
            ]
            body = problem.body(path=self.request.path, request_id=self.request_id)
            return {"domain_uuid": _uuid(named), "result": "failed", "counts": None, "problem": body}

    def remembered(self, request: Request, key: str, handler: Any) -> Response:
        def act() -> Response:
            response: Response = handler(request, *self.args, **self.kwargs)
            return response

        return once_in_steps(request, self.principal, key, act)


def _done(domain_uuid: UUID, values: dict[str, Any], *, dry_run: bool) -> Provisioned:
    try:
        return provision(domain_uuid=domain_uuid, values=values, dry_run=dry_run)
    except DocumentError as error:
        errors = [FieldError.of(name, code, reason) for name, (code, reason) in error.errors.items()]
        raise Problem("invalid", errors=errors) from error
    except IntegrityError as error:
        raise problem_of(error) from error


def _uuid(named: object) -> UUID | None:
    try:
        return UUID(named) if isinstance(named, str) else None
    except ValueError:
        return None


def _result(domain_uuid: UUID, done: Provisioned) -> dict[str, Any]:
    return {"domain_uuid": domain_uuid, "result": done.result, "counts": done.counts(), "problem": None}


def urls() -> list[URLPattern]:
    return [
        path("domains/<uuid:domain_uuid>/provision", ProvisionDomain.as_view(), name="provision-domain"),
        path("provision", ProvisionMany.as_view(), name="provision"),
    ]
