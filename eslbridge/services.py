"""Writes: a domain's switch."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from eslbridge.models import EslCredential
from tenants import audit
from tenants.context import tenant_context


def check_move(row: EslCredential, host: str, port: int, *, password_given: bool) -> None:
    """Whoever may not read the password must not have it sent to an address of their own either.

    `row` is as it is stored, or new. Raises ValidationError for `password` where the address changes without one.
    """
    if not password_given and (row._state.adding or (row.host, row.port) != (host, port)):
        raise ValidationError({"password": _("Give the password of the telephone system at this address.")})


def save_credential(*, domain_uuid: UUID, password: str | None = None, **fields: Any) -> EslCredential:
    """Make or change a domain's credential. Without a password the stored one stays. Raises ValidationError."""
    with tenant_context(domain_uuid):
        credential = EslCredential.objects.select_for_update().first() or EslCredential(domain_id=domain_uuid)
        before = audit.before(credential)
        if password is not None:
            credential.password = password
        for field, value in fields.items():
            setattr(credential, field, value)
        credential.full_clean()
        credential.save()
        audit.saved(credential, before)
    return credential
