"""Who is asking: an API key, FusionPBX's assertion, or a person signed in to the panel."""

from __future__ import annotations

import time
from typing import Any, NoReturn

import redis
import structlog
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from secretary.api import limits, shared_memory
from secretary.api.principal import Principal, covers
from secretary.api.problems import Problem
from tenants import assertions, keys
from tenants.assertions import AssertionRefused
from tenants.context import tenant_context
from tenants.models import ApiKey, Domain, InstallationKey
from tenants.origin import client_address

log = structlog.get_logger(__name__)

Answer = tuple[Any, Principal | None]


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer vsd_…` or `vsi_…`."""

    def authenticate(self, request: Request) -> Answer | None:
        token = _after(request, "bearer")
        if token is None:
            return None
        key = keys.authenticate(token)
        if key is None:
            _refuse(request, "key_refused", "unknown")
        address = _check(request, key, "key_refused")
        if isinstance(key, ApiKey) and not key.domain.enabled:
            raise Problem("forbidden", _("The domain is disabled."))
        keys.note_use(key, address)
        domain = isinstance(key, ApiKey)
        return AnonymousUser(), Principal(
            kind="domain-key" if domain else "installation-key",
            ident=f"key:{key.prefix}",
            name=key.name,
            domain_uuid=key.domain_uuid if isinstance(key, ApiKey) else None,
            scopes=frozenset(key.scopes),
            rate_per_minute=key.rate_per_minute,
            is_operator=not domain,
        )

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class AssertionAuthentication(BaseAuthentication):
    """`Authorization: Assertion <claims>.<signature>`: FusionPBX acts for a user of one domain. Each works once."""

    def authenticate(self, request: Request) -> Answer | None:
        text = _after(request, "assertion")
        if text is None:
            return None
        now = time.time()
        try:
            assertion = assertions.parse(text)
            claims = assertion.claims
            key = keys.find_installation_key(prefix=claims.key_prefix)
            if key is None:
                raise AssertionRefused("unknown key")
            assertions.verify(assertion, secret=key.assertion_secret, now=now)
        except AssertionRefused as error:
            _refuse(request, "assertion_refused", error.reason)
        address = _check(request, key, "assertion_refused")
        lifetime_s = int(claims.expires_at - now) + 2 * assertions.LEEWAY_S
        try:
            fresh = shared_memory.remember_nonce(f"{key.prefix}:{claims.nonce}", seconds=lifetime_s)
        except redis.RedisError as error:
            # Without the memory of nonces a stolen assertion would work again: closed, unlike the limits.
            log.warning("api.nonces_unavailable", error=str(error)[:200])
            raise Problem("unavailable", headers={"Retry-After": "2"}) from error
        if not fresh:
            _refuse(request, "assertion_refused", "replayed")
        with tenant_context(claims.domain_uuid):
            domain = Domain.objects.filter(enabled=True).first()
        if domain is None:
            _refuse(request, "assertion_refused", "no such domain")
        keys.note_use(key, address)
        return AnonymousUser(), Principal(
            kind="fusionpbx-user",
            ident=f"fusionpbx:{key.prefix}:{claims.domain_uuid.hex}:{claims.user}"[:200],
            name=claims.user,
            domain_uuid=claims.domain_uuid,
            scopes=_narrowed(key, claims.scopes),
            rate_per_minute=key.rate_per_minute,
        )


class PanelSession(SessionAuthentication):
    """The panel's own scripts, with the session's cookie and a CSRF token. What one may do depends on the domain that
    the address names, so the view finds that out."""

    def enforce_csrf(self, request: Any) -> None:
        try:
            super().enforce_csrf(request)
        except Exception as error:
            raise Problem("forbidden", _("The CSRF token is missing or wrong.")) from error


def _narrowed(key: InstallationKey, wanted: frozenset[str] | None) -> frozenset[str]:
    if wanted is None:
        return frozenset(key.scopes)
    return frozenset(scope for scope in wanted if covers(key.scopes, scope))


def _after(request: Request, scheme: str) -> str | None:
    """What follows the scheme in the Authorization header; None where it is another scheme."""
    found, _, value = request.headers.get("Authorization", "").strip().partition(" ")
    return value.strip() if found.lower() == scheme else None


def _check(request: Request, key: keys.AnyKey, code: str) -> str | None:
    """Refuse a dead key, and one from a wrong address. Returns the address."""
    address = client_address(request._request)
    if not key.is_live(timezone.now()):
        _refuse(request, code, "revoked or expired")
    if not key.admits(address):
        _refuse(request, code, "address")
    return address


def _refuse(request: Request, code: str, reason: str) -> NoReturn:
    """The client is not told which of the reasons it was; the log is."""
    address = client_address(request._request) or ""
    log.info("api.refused", code=code, reason=reason, address=address)
    limits.admit(f"failures:{address}", limits.FAILURES)
    raise Problem(code, headers={"WWW-Authenticate": "Bearer"})
