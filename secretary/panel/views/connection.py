"""The domain's telephone system: where its switch is reached."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from eslbridge.models import EslCredential
from eslbridge.services import check_move, save_credential
from secretary.panel.access import Access, Can, in_domain
from secretary.panel.editing import Link, edit_once
from secretary.panel.forms.connection import ConnectionForm


def _row() -> EslCredential:
    return EslCredential.objects.defer("password").first() or EslCredential()


def _read(row: EslCredential) -> Mapping[str, Any]:
    return {name: getattr(row, name) for name in ConnectionForm.base_fields if name not in ("password", "seen")}


def _save(*, domain_uuid: UUID, password: str, **values: Any) -> None:
    check_move(_row(), values["host"], values["port"], password_given=bool(password))
    save_credential(domain_uuid=domain_uuid, password=password or None, **values)


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def change(request: HttpRequest, access: Access) -> HttpResponse:
    return edit_once(
        request,
        access,
        section="connection",
        title=_("Telephone system"),
        intro=_("Where the domain's FreeSWITCH or FusionPBX is reached, to put callers through and to call out."),
        back=Link(reverse("panel:home", args=[access.domain.pk]), _("Home")),
        form_class=ConnectionForm,
        find=_row,
        read=_read,
        save=partial(_save, domain_uuid=access.domain.pk),
        done=_("Saved. The next call uses it."),
    )
