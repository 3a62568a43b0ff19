"""Speech services of a domain: its own keys, made, changed, tried out, removed."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from secretary.models import ProviderCredential
from secretary.panel.access import Access, Can, in_domain
from secretary.panel.forms.providers import CHOOSABLE, ServiceForm, form_of, read
from secretary.panel.pages import show
from secretary.panel.rows import Rows
from secretary.services import providers
from secretary.speech import trying
from secretary.speech.catalogue import DECLARED, Declared
from tenants import audit
from tenants.errors import UndecryptableError


def _find(*, credential_uuid: UUID) -> ProviderCredential | None:
    return ProviderCredential.objects.defer("api_key", "keys").filter(pk=credential_uuid).first()


ROWS = Rows[ProviderCredential](
    section="services",
    route="service",
    key="credential_uuid",
    title=gettext_lazy("Speech services"),
    form=ServiceForm,
    read=read,
    find=_find,
    create=providers.create_credential,
    update=providers.update_credential,
    remove=providers.delete_credential,
    new=gettext_lazy("Add a key"),
    made=gettext_lazy("The key is kept. Choose the service in the secretaries that shall use it."),
    consequence=gettext_lazy(
        "Secretaries go on with the installation's key for it, or with the next service they have."
    ),
    see=Can.CONFIGURE,
)
_new, _change, delete = ROWS.views()


def declared_or_404(provider: str) -> Declared:
    found = next((one for one in CHOOSABLE if one.name == provider), None)
    if found is None:
        raise Http404
    return found


@in_domain(Can.CONFIGURE)
def index(request: HttpRequest, access: Access) -> HttpResponse:
    rows = ProviderCredential.objects.defer("api_key", "keys").order_by("provider", "label")
    shown = [(row, DECLARED[row.provider].title if row.provider in DECLARED else row.provider) for row in rows]
    return show(request, access, "panel/services/list.html", section=ROWS.section, services=shown, choosable=CHOOSABLE)


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def new(request: HttpRequest, access: Access) -> HttpResponse:
    declared = declared_or_404(request.GET.get("service", CHOOSABLE[0].name))
    create = partial(providers.create_credential, provider=declared.name)
    return ROWS.make(request, access, title=declared.title, form_class=form_of(declared), create=create)


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def change(request: HttpRequest, access: Access, credential_uuid: UUID) -> HttpResponse:
    row = ROWS.get(credential_uuid)
    declared = declared_or_404(row.provider)
    title = f"{declared.title} {row.label}".strip()
    return ROWS.change(request, access, row, title=title, form_class=form_of(declared))


@in_domain(None, change=Can.CONFIGURE)
def attempt(request: HttpRequest, access: Access, credential_uuid: UUID) -> HttpResponse:
    """Connect as a call would, and say how that went."""
    row = ROWS.get(credential_uuid)
    audit.log("providercredential.tested", audit.subject_of(row))
    try:
        tried = trying.attempt(row.provider, row.access(), owner=row.domain_uuid)
    except UndecryptableError:
        tried = trying.Tried("auth", _("The key cannot be read: give it again."), 0)
    name = DECLARED[row.provider].title if row.provider in DECLARED else row.provider
    tell(request, f"{name} {row.label}".strip(), tried)
    return redirect(ROWS.to_list(access).url)


def tell(request: HttpRequest, name: str, tried: trying.Tried) -> None:
    """How a try went, on the next page."""
    about = {"name": name, "detail": tried.detail, "ms": tried.duration_ms}
    if tried.outcome == "ok":
        messages.success(request, _("“%(name)s” takes calls (%(ms)d ms).") % about)
        if tried.advice:
            messages.warning(request, tried.advice)
    else:
        messages.error(request, _("“%(name)s” does not take calls: %(detail)s") % about)
