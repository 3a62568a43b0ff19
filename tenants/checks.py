"""System checks: what must be right before a second tenant is let in.

tenants.E001  the database role bypasses row-level security (with `check --database default`, and at `migrate`)
tenants.E002  no usable FIELD_ENCRYPTION_KEYS
tenants.E003  EGRESS_PORTS, EGRESS_ALLOW, EGRESS_DENY or EGRESS_CA_BUNDLE cannot be understood
tenants.W001  served without HTTPS to other hosts than this one
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured

from tenants import context
from tenants.egress.client import tls_context
from tenants.egress.policy import EgressPolicy
from tenants.encryption import KeyRing

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]", "testserver"})


@register(Tags.database)
def database_role(app_configs: Any, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """The role must be NOSUPERUSER NOBYPASSRLS: PostgreSQL would skip every policy without a word."""
    if not databases or "default" not in databases or not context.role_bypasses_rls():
        return []
    return [
        Error(
            "The database role is a superuser or has BYPASSRLS: row-level security does not hold for it.",
            hint="Make a role with NOSUPERUSER NOBYPASSRLS, let it own the database, and name it in DATABASE_URL.",
            id="tenants.E001",
        )
    ]


@register(Tags.security)
def encryption_keys(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """There must be at least one Fernet key, and no broken one."""
    try:
        KeyRing(settings.FIELD_ENCRYPTION_KEYS)
    except ImproperlyConfigured as error:
        hint = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
        return [Error(str(error), hint=hint, id="tenants.E002")]
    return []


@register(Tags.security)
def outgoing_requests(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """What tenants may reach must be said so that it can be understood."""
    try:
        tls_context(EgressPolicy.of_installation().ca_file)
    except (ValueError, OSError) as error:
        hint = "EGRESS_ALLOW=crm.internal:8080,10.1.0.0/16 EGRESS_PORTS=80,443 are such values."
        return [Error(f"The settings EGRESS_*: {error}.", hint=hint, id="tenants.E003")]
    return []


@register(Tags.security)
def plain_http(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Without HTTPS, passwords and recordings would cross the network in the clear."""
    others = [host for host in settings.ALLOWED_HOSTS if host not in LOOPBACK]
    if settings.HTTPS_ONLY or settings.DEBUG or not others:
        return []
    return [
        Warning(
            f"HTTPS_ONLY is off though ALLOWED_HOSTS names {', '.join(others)}.",
            hint="Put a proxy with a certificate in front, set HTTPS_ONLY=true and TRUST_PROXY_HEADERS=true.",
            id="tenants.W001",
        )
    ]
