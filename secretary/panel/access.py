"""Who may see and do what: the first line of every view of a domain.

The domain stands in the address, so that a form in an old tab can only ever act on the domain it was made for. A
domain that one does not belong to is as absent as one that does not exist: 404. A role that may look but not touch
gets a page that says so: 403.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import wraps
from typing import Concatenate, ParamSpec
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from secretary.panel.pages import show
from secretary.panel.words import Text
from secretary.selectors.own import Own, own_destinations
from tenants.context import tenant_context
from tenants.models import Domain, Member
from tenants.models.member import Role
from tenants.origin import acting, user_actor
from tenants.people import second_factor

P = ParamSpec("P")

OPERATOR = "operator"
"""The installation's operator (Django superuser) stands above every domain."""

ROLES: dict[str, Text] = {**{role.value: role.label for role in Role}, OPERATOR: _("Operator of the platform")}


class Can(Enum):
    """What a view wants to be allowed."""

    SEE = "see"
    """Calls and messages: an agent's own, everybody else's all."""
    SEE_SETUP = "see how the domain is set up"
    HANDLE_MESSAGES = "handle messages"
    CONFIGURE = "configure"
    MANAGE_PEOPLE = "manage people"
    SEE_RECORD = "see the record of changes"
    SET_QUOTAS = "decide what the domain may use"
    """The installation's operator alone."""


_ALLOWED: dict[str, frozenset[Can]] = {
    Role.VIEWER: frozenset({Can.SEE, Can.SEE_SETUP}),
    Role.AGENT: frozenset({Can.SEE, Can.HANDLE_MESSAGES}),
    Role.ADMIN: frozenset(Can) - {Can.SET_QUOTAS},
    OPERATOR: frozenset(Can),
}


@dataclass(frozen=True, slots=True)
class Access:
    """A person's place in the domain that the request is about."""

    domain: Domain
    role: str
    own: Own | None = None
    """The destinations whose calls and messages are all that the person sees; None: they see everything."""

    def may(self, what: Can) -> bool:
        return what in _ALLOWED.get(self.role, frozenset())

    @property
    def may_configure(self) -> bool:
        return self.may(Can.CONFIGURE)

    @property
    def sees_setup(self) -> bool:
        return self.may(Can.SEE_SETUP)

    @property
    def sees_all(self) -> bool:
        return self.own is None

    @property
    def role_label(self) -> Text:
        return ROLES.get(self.role, self.role)


def _resolve(request: HttpRequest) -> Access:
    """The access of a signed-in person, inside the domain's context. Raises Http404 for strangers."""
    domain = Domain.objects.first()
    if domain is None or not domain.enabled:
        raise Http404
    member = Member.objects.filter(user_id=request.user.pk or 0).first()
    if member is not None:
        own = own_destinations(member_uuid=member.pk) if member.role == Role.AGENT else None
        return Access(domain, member.role, own)
    if getattr(request.user, "is_superuser", False):
        return Access(domain, OPERATOR)
    raise Http404


def in_domain(
    see: Can | None = Can.SEE, *, change: Can | None = None
) -> Callable[
    [Callable[Concatenate[HttpRequest, Access, P], HttpResponseBase]],
    Callable[..., HttpResponseBase],
]:
    """Make a view of one domain. It runs inside the tenant's context, which is one transaction.

    `see` is what GET and HEAD want, `change` what POST wants; None: the view does not answer that. The view is called
    with the request, the access, and what else stands in the address.
    """

    def decorate(
        view: Callable[Concatenate[HttpRequest, Access, P], HttpResponseBase],
    ) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, domain_uuid: UUID, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")
            with tenant_context(domain_uuid):
                access = _resolve(request)
                if second_factor.required(role=access.role, domain=access.domain) and not has_second_factor(request):
                    return redirect("panel:second-factor")
                wanted = {"GET": see, "HEAD": see, "POST": change}.get(request.method or "")
                if wanted is None:
                    allowed = (["GET", "HEAD"] if see else []) + (["POST"] if change else [])
                    return HttpResponseNotAllowed(allowed)
                with timezone.override(access.domain.time_zone), acting(user_actor(request.user)):
                    if not access.may(wanted):
                        return show(request, access, "panel/refused.html", status=403)
                    return view(request, access, *args, **kwargs)

        return guarded

    return decorate


SECOND_FACTOR = "second_factor"
"""Session key: whether the person has shown a second factor in this session. Written where they did."""


def has_second_factor(request: HttpRequest) -> bool:
    return bool(request.session.get(SECOND_FACTOR))


View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def _outside(*, operators_only: bool, methods: tuple[str, ...]) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    def decorate(view: View[P]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")
            if operators_only:
                if not getattr(request.user, "is_superuser", False):
                    raise Http404
                if second_factor.required(role=OPERATOR, domain=None) and not has_second_factor(request):
                    return redirect("panel:second-factor")
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            with acting(user_actor(request.user)):
                return view(request, *args, **kwargs)

        return guarded

    return decorate


def signed_in(*methods: str) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    """Make a view of the person's own account, or of what they may choose from. No tenant's context."""
    return _outside(operators_only=False, methods=methods or ("GET", "HEAD"))


def for_operators(*methods: str) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    """Make a view of the installation. For everybody else it does not exist: 404. No tenant's context."""
    return _outside(operators_only=True, methods=methods or ("GET", "HEAD"))
