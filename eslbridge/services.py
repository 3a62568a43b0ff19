"""Writes: a domain's switch."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from eslbridge.models import EslCredential
from tenants import audit
from tenants.context import tenant_context


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
