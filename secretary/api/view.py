"""What every view of the API does around its handler."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC
from typing import Any, ClassVar, Final

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from secretary.api import idempotency, limits
from secretary.api.authentication import AssertionAuthentication, KeyAuthentication, PanelSession
from secretary.api.parsing import MAX_BODY, JsonParser, JsonRenderer, OnlyJson
from secretary.api.principal import ALL, READ, WRITE, Principal, role_scopes
from secretary.api.problems import Problem, problem_of, response_of
from secretary.api.serializing import Query
from secretary.panel.access import OPERATOR, has_second_factor
from tenants.context import platform_context, tenant_context
from tenants.models import Domain, Member
from tenants.origin import acting, current_origin
from tenants.people import second_factor

SAFE: Final = frozenset({"GET", "HEAD"})
Handler = Callable[..., Response]


class ApiRequest(Request):
    """One that also has a body where its length was not announced (`Transfer-Encoding: chunked`)."""

    def _load_stream(self) -> None:
        super()._load_stream()  # type: ignore[misc]
        if self._stream is None and "chunked" in self._request.headers.get("Transfer-Encoding", "").lower():
            self._stream = self._request


class ApiView(APIView):
    """The base: authentication, limits, request ids, problems. `scope` is the resource's name in scopes and tags."""

    http_method_names: ClassVar[list[str]] = ["get", "head", "post", "put", "patch", "delete"]  # type: ignore[misc]
    authentication_classes = (KeyAuthentication, AssertionAuthentication, PanelSession)
    permission_classes = ()
    throttle_classes = ()
    parser_classes = (JsonParser,)
    renderer_classes = (JsonRenderer,)
    content_negotiation_class = OnlyJson

    scope: ClassVar[str] = ""
    """Empty: whoever has a key may."""
    query_class: ClassVar[type[Query]] = Query
    shown_once: ClassVar[tuple[str, ...]] = ()
    """Members of an answer that are not kept for a repeated one."""
    max_body: ClassVar[int] = MAX_BODY
    known_statuses: ClassVar[frozenset[int]] = frozenset()
    """Statuses of errors beyond those every operation of the kind can have."""

    principal: Principal
    request_id: str
    standing: limits.Standing | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        self.args, self.kwargs, self.headers = args, kwargs, {}
        self.request_id = current_origin().request_id or uuid.uuid4().hex
        ours = self.initialize_request(request, *args, **kwargs)
        self.request = ours
        with timezone.override(UTC):
            try:
                self.initial(ours, *args, **kwargs)
                handler = self._handler(ours)
                with acting(self.principal.actor()), self.context(ours):
                    self.authorize(ours)
                    response = self._run(ours, handler)
            except Exception as error:
                response = self.handle_exception(error)
        self.response = self.finalize_response(ours, response, *args, **kwargs)
        return self.response

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        return ApiRequest(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            raise Problem("in_clear")
        super().initial(request, *args, **kwargs)
        if isinstance(request.auth, Principal):
            self.principal = request.auth
        elif request.user.is_authenticated:
            self.principal = _panel_user(request)
        else:
            raise exceptions.NotAuthenticated
        self.standing = limits.admit(self.principal.ident, limits.limit_of(self.principal))
        if self.principal.domain_uuid is not None:
            together = limits.admit_domain(self.principal.domain_uuid)
            if together is not None and (self.standing is None or together.remaining < self.standing.remaining):
                self.standing = together

    @contextmanager
    def context(self, request: Request) -> Iterator[None]:
        """Where the handler runs. Here: outside of every tenant, where no query of a tenant is possible."""
        yield

    def authorize(self, request: Request) -> None:
        """Raises Problem where the principal may not do this."""
        verb = READ if request.method in SAFE else WRITE
        if self.scope and not self.principal.may(self.scope, verb):
            raise Problem("forbidden", _("The scope %(scope)s is needed.") % {"scope": f"{self.scope}:{verb}"})

    def query(self) -> dict[str, Any]:
        """What stands behind the question mark, checked. Raises ValidationError."""
        query = self.query_class(data=dict(self.request.query_params.items()))
        query.is_valid(raise_exception=True)
        found: dict[str, Any] = query.validated_data
        return found

    def body(self, serializer: serializers.BaseSerializer[Any]) -> dict[str, Any]:
        """A body that has been given to a serializer, checked. Raises ValidationError."""
        serializer.is_valid(raise_exception=True)
        found: dict[str, Any] = serializer.validated_data
        return found

    def handle_exception(self, exc: Exception) -> Response:
        problem = problem_of(exc)
        response = response_of(problem, path=self.request.path, request_id=self.request_id)
        if problem.code == "method_not_allowed":
            response.headers["Allow"] = ", ".join(self.allowed_methods)
        response.exception = True
        # Django would log each of them as a warning; a client's mistakes are not the operator's.
        response._has_been_logged = problem.status < 500  # type: ignore[attr-defined]
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers["X-Request-Id"] = self.request_id
        response.headers.setdefault("Cache-Control", "no-store")
        if self.standing is not None:
            for name, value in self.standing.headers().items():
                response.headers.setdefault(name, value)
        return response

    def _handler(self, request: Request) -> Handler:
        method = (request.method or "").lower()
        handler = getattr(self, method, None) if method in self.http_method_names else None
        if handler is None:
            raise exceptions.MethodNotAllowed(request.method or "")
        found: Handler = handler
        return found

    def _run(self, request: Request, handler: Handler) -> Response:
        # Every handler sees to its own parameters; those that have none refuse whatever is sent.
        if request.method not in SAFE:
            self.query()
        key = idempotency.key_of(request) if request.method == "POST" else None
        if key is None:
            return handler(request, *self.args, **self.kwargs)
        return self.remembered(request, key, handler)

    def remembered(self, request: Request, key: str, handler: Handler) -> Response:
        """Answer a request that has an Idempotency-Key."""
        return idempotency.once(
            request,
            self.principal,
            key,
            lambda: handler(request, *self.args, **self.kwargs),
            shown_once=self.shown_once,
        )


class InstallationView(ApiView):
    """What concerns the installation as a whole. Runs across tenants, for the installation's keys alone."""

    @contextmanager
    def context(self, request: Request) -> Iterator[None]:
        if not self.principal.is_operator:
            raise Problem("forbidden", _("This needs a key of the installation."))
        with platform_context():
            yield


class DomainView(ApiView):
    """What concerns the domain that the address names. Runs inside it: one transaction, one tenant."""

    domain: Domain | None
    """None only where it is about to be made."""

    @contextmanager
    def context(self, request: Request) -> Iterator[None]:
        domain_uuid = self.kwargs["domain_uuid"]
        if self.principal.domain_uuid not in (None, domain_uuid):
            raise Problem("not_found")
        with tenant_context(domain_uuid):
            yield

    def authorize(self, request: Request) -> None:
        self.domain = self.found(request)
        if self.principal.kind == PANEL_USER and not self.principal.is_operator:
            self.principal = _member(self.principal, self.domain, request)
        super().authorize(request)

    def found(self, request: Request) -> Domain | None:
        """The domain. Raises Problem where there is none."""
        domain = Domain.objects.first()
        if domain is None:
            raise Problem("not_found")
        return domain


PANEL_USER: Final = "panel-user"


def _panel_user(request: Request) -> Principal:
    """A person signed in to the panel, before the domain is known. The operator is the installation."""
    user = request.user
    is_operator = bool(getattr(user, "is_superuser", False))
    if is_operator:
        _check_second_factor(request, OPERATOR, None)
    return Principal(
        kind=PANEL_USER,
        ident=f"user:{user.pk}",
        name=user.get_username(),
        domain_uuid=None,
        scopes=frozenset({ALL} if is_operator else ()),
        is_operator=is_operator,
    )


def _member(person: Principal, domain: Domain | None, request: Request) -> Principal:
    """What the person is in this domain. Raises Problem for strangers, to whom the domain does not exist."""
    from secretary.api.resources import scope_names

    is_open = domain is not None and domain.enabled
    member = Member.objects.filter(user_id=request.user.pk or 0).first() if is_open else None
    if domain is None or member is None:
        raise Problem("not_found")
    _check_second_factor(request, member.role, domain)
    return replace(person, domain_uuid=domain.domain_uuid, scopes=role_scopes(member.role, scope_names()))


def _check_second_factor(request: Request, role: str, domain: Domain | None) -> None:
    """The panel's rule holds here too. Raises Problem."""
    if second_factor.required(role=role, domain=domain) and not has_second_factor(request._request):
        raise Problem("forbidden", _("Sign in to the panel with your second factor first."))
