"""Reads: a domain's switch."""

from __future__ import annotations

from uuid import UUID

from eslbridge.models import EslCredential
from eslbridge.profiles import EslEndpoint, MediaProfile
from tenants.context import tenant_context


def esl_endpoint(*, domain_uuid: UUID | str) -> EslEndpoint | None:
    """How to reach the domain's switch, password included; None where it has no credential or is disabled.

    Raises InvalidTenantError, UndecryptableError.
    """
    with tenant_context(domain_uuid):
        row = EslCredential.objects.select_related("domain").filter(domain__enabled=True).first()
        if row is None:
            return None
        return EslEndpoint(
            domain_uuid=row.domain_id,
            domain_name=row.domain.name,
            host=row.host,
            port=row.port,
            password=row.password,
            connect_timeout_s=row.connect_timeout_s,
            read_timeout_s=row.read_timeout_s,
            reconnect_delay_s=row.reconnect_delay_s,
            max_reconnects=row.max_reconnects,
        )


def switch_host(domain_uuid: UUID) -> str:
    """Where the domain's switch is reached; empty where there is no such domain, or it has no credential."""
    with tenant_context(domain_uuid):
        return EslCredential.objects.values_list("host", flat=True).first() or ""


def media_profile(*, domain_uuid: UUID | str) -> MediaProfile | None:
    """How the domain's audio travels; None where it has no credential. Never decrypts the password."""
    with tenant_context(domain_uuid):
        row = EslCredential.objects.defer("password").first()
        return row.media_profile() if row is not None else None
