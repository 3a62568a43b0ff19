"""Before a domain is chosen: signing in, and which domain."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from secretary.panel.access import OPERATOR, ROLES
from secretary.panel.forms.sign_in import SignInForm
from secretary.panel.pages import SEVERAL_DOMAINS
from secretary.panel.words import Text
from tenants.selectors import all_domains, memberships


class SignIn(LoginView):
    """The way in. Somebody who is signed in already goes on to their domain."""

    template_name = "panel/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True


@dataclass(frozen=True, slots=True)
class Choice:
    """A domain to choose."""

    domain_uuid: UUID
    name: str
    role_label: Text


def _choices(user: AbstractBaseUser | AnonymousUser) -> list[Choice]:
    mine = {place.domain_uuid: place for place in memberships(user_id=user.pk or 0)}
    if getattr(user, "is_superuser", False):
        return [
            Choice(domain.pk, domain.name, ROLES[mine[domain.pk].role if domain.pk in mine else OPERATOR])
            for domain in all_domains()
            if domain.enabled
        ]
    return [Choice(place.domain_uuid, place.domain_name, ROLES.get(place.role, place.role)) for place in mine.values()]


@require_safe
@login_required
def start(request: HttpRequest) -> HttpResponse:
    """The bare address: straight on for who belongs to one domain, else the choice."""
    choices = _choices(request.user)
    request.session[SEVERAL_DOMAINS] = len(choices) > 1
    if len(choices) == 1:
        return redirect("panel:home", choices[0].domain_uuid)
    return redirect("panel:domains")


@require_safe
@login_required
def domains(request: HttpRequest) -> HttpResponse:
    """The domains that a person may choose from."""
    choices = _choices(request.user)
    request.session[SEVERAL_DOMAINS] = len(choices) > 1
    return render(request, "panel/domains.html", {"domains": choices})
