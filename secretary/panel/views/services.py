"""Speech services of a domain: its own keys, made, changed, tried out, removed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from secretary.models import ProviderCredential
from secretary.panel.access import Access, Can, in_domain
from secretary.panel.editing import Link, edit
from secretary.panel.forms.base import PanelForm
from secretary.panel.forms.providers import CHOOSABLE, ServiceForm, form_of, read
from secretary.panel.pages import show
from secretary.services import providers
from secretary.speech import trying
from secretary.speech.catalogue import DECLARED, Declared
from tenants import audit
from tenants.errors import UndecryptableError

SECTION = "services"


def _to_list(access: Access) -> Link:
    return Link(reverse("panel:services", args=[access.domain.pk]), _("Speech services"))


def _row(credential_uuid: UUID) -> ProviderCredential:
    row = ProviderCredential.objects.defer("api_key", "keys").filter(pk=credential_uuid).first()
    if row is None:
        raise Http404
    return row


def declared_or_404(provider: str) -> Declared:
    found = next((one for one in CHOOSABLE if one.name == provider), None)
    if found is None:
        raise Http404
    return found


def values_of(form: PanelForm) -> dict[str, Any]:
    assert isinstance(form, ServiceForm)  # noqa: S101 - for the types
    return form.model_values


@in_domain(Can.CONFIGURE)
def index(request: HttpRequest, access: Access) -> HttpResponse:
    rows = ProviderCredential.objects.defer("api_key", "keys").order_by("provider", "label")
    shown = [(row, DECLARED[row.provider].title if row.provider in DECLARED else row.provider) for row in rows]
    return show(request, access, "panel/services/list.html", section=SECTION, services=shown, choosable=CHOOSABLE)


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def new(request: HttpRequest, access: Access) -> HttpResponse:
    declared = declared_or_404(request.GET.get("service", CHOOSABLE[0].name))
    return edit(
        request,
        access,
        section=SECTION,
        title=declared.title,
        back=_to_list(access),
        form_class=form_of(declared),
        initial={},
        row=None,
        read=dict,
        save=lambda form: providers.create_credential(provider=declared.name, **values_of(form)),
        done=_("The key is kept. Choose the service in the secretaries that shall use it."),
    )


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def change(request: HttpRequest, access: Access, credential_uuid: UUID) -> HttpResponse:
    row = _row(credential_uuid)
    declared = declared_or_404(row.provider)

    def save(form: PanelForm) -> None:
        providers.update_credential(credential_uuid=row.pk, seen_at=form.seen_at, **values_of(form))

    return edit(
        request,
        access,
        section=SECTION,
        title=f"{declared.title} {row.label}".strip(),
        back=_to_list(access),
        form_class=form_of(declared),
        initial=read(row),
        row=row,
        read=read,
        save=save,
        done=_("Saved. The next call uses it."),
        delete_url=reverse("panel:service-delete", args=[access.domain.pk, row.pk]),
    )


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def delete(request: HttpRequest, access: Access, credential_uuid: UUID) -> HttpResponse:
    row = _row(credential_uuid)
    if request.method == "POST":
        try:
            providers.delete_credential(credential_uuid=row.pk)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, _("“%(name)s” was removed.") % {"name": row})
        return redirect(_to_list(access).url)
    return show(
        request,
        access,
        "panel/delete.html",
        section=SECTION,
        title=_("Remove “%(name)s”?") % {"name": row},
        back=Link(reverse("panel:service", args=[access.domain.pk, row.pk]), str(row)),
        consequence=_("Secretaries go on with the installation's key for it, or with the next service they have."),
    )


@in_domain(None, change=Can.CONFIGURE)
def attempt(request: HttpRequest, access: Access, credential_uuid: UUID) -> HttpResponse:
    """Connect as a call would, and say how that went."""
    row = _row(credential_uuid)
    audit.log("providercredential.tested", audit.subject_of(row))
    try:
        tried = trying.attempt(row.provider, row.access(), owner=row.domain_uuid)
    except UndecryptableError:
        tried = trying.Tried("auth", _("The key cannot be read: give it again."), 0)
    tell(request, str(row), tried)
    return redirect(_to_list(access).url)


def tell(request: HttpRequest, name: str, tried: trying.Tried) -> None:
    """How a try went, on the next page."""
    about = {"name": name, "detail": tried.detail, "ms": tried.duration_ms}
    if tried.outcome == "ok":
        messages.success(request, _("“%(name)s” takes calls (%(ms)d ms).") % about)
    else:
        messages.error(request, _("“%(name)s” does not take calls: %(detail)s") % about)
