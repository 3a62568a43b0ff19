"""The installation's keys of speech services: what domains use that have none of their own."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from secretary.models import InstallationProvider
from secretary.panel.access import for_operators
from secretary.panel.editing import Link, edit
from secretary.panel.forms.providers import CHOOSABLE, form_of, read
from secretary.panel.pages import show_outside
from secretary.panel.views.services import declared_or_404, tell
from secretary.services import providers
from secretary.speech import trying
from tenants import audit
from tenants.context import platform_context
from tenants.errors import UndecryptableError

SECTION = "platform-services"
OWNER = UUID(int=0)
"""Under which the installation's tries are counted."""


@for_operators()
def index(request: HttpRequest) -> HttpResponse:
    """Every service, and whether the installation has a key for it."""
    with platform_context():
        rows = {row.provider: row for row in InstallationProvider.objects.defer("api_key", "keys")}
    services = [(one, rows.get(one.name)) for one in CHOOSABLE]
    return show_outside(request, "panel/platform/services.html", section=SECTION, services=services)


@for_operators("GET", "HEAD", "POST")
def change(request: HttpRequest, provider: str) -> HttpResponse:
    declared = declared_or_404(provider)
    with platform_context():
        row = InstallationProvider.objects.defer("api_key", "keys").filter(provider=declared.name).first()
    return edit(
        request,
        None,
        section=SECTION,
        title=declared.title,
        intro=_("For every domain that has no key of its own for this service."),
        back=Link(reverse("panel:platform-services"), _("Speech services")),
        form_class=form_of(declared, guarded=False),
        initial=read(row) if row is not None else {},
        row=row,
        read=read,
        save=lambda form: providers.save_installation(
            provider=declared.name, seen_at=form.seen_at, **form.model_values
        ),
        done=_("Saved. The next call uses it."),
    )


@for_operators("POST")
def remove(request: HttpRequest, provider: str) -> HttpResponse:
    """Forget the installation's key."""
    if providers.delete_installation(provider=declared_or_404(provider).name):
        messages.success(request, _("The key is forgotten. Domains without one of their own do without."))
    return redirect("panel:platform-services")


@for_operators("POST")
def attempt(request: HttpRequest, provider: str) -> HttpResponse:
    """Connect as a call would, and say how that went."""
    declared = declared_or_404(provider)
    try:
        with platform_context():
            row = InstallationProvider.objects.filter(provider=declared.name).first()
            access = row.access() if row is not None else None
            if row is not None:
                audit.log("installationprovider.tested", audit.subject_of(row))
    except UndecryptableError:
        tell(request, declared.title, trying.Tried("auth", _("The key cannot be read: give it again."), 0))
    else:
        if access is not None:
            tell(request, declared.title, trying.attempt(declared.name, access, owner=OWNER))
    return redirect("panel:platform-services")
