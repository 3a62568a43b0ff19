"""API keys: made, recognised, rotated and revoked.

    vsd_<domain, 32 hex digits>_<prefix>_<secret>    a domain's key
    vsi_<prefix>_<secret>                            the installation's key

The secret is 43 letters and digits (256 bits), shown once. A domain's key names its domain, so that recognising it
happens inside the tenant; the installation's are looked up in `platform_context`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import models
from django.utils import timezone

from tenants import audit
from tenants.context import platform_context, tenant_context
from tenants.models import ApiKey, InstallationKey

ALPHABET: Final = string.ascii_letters + string.digits
SECRET_LENGTH: Final = 43
PREFIX_LENGTH: Final = 10
USE_NOTED_EVERY: Final = timedelta(minutes=1)
"""The last use is written at most this often: a busy key must not become a row that every request fights for."""
DEFAULT_OVERLAP: Final = timedelta(hours=24)
MAX_OVERLAP: Final = timedelta(days=30)
ASSERTION_LABEL: Final = b"voice-secretary assertion v1"

_TOKEN = re.compile(
    rf"(?:vsd_(?P<domain>[0-9a-f]{{32}})|vsi)_(?P<prefix>[A-Za-z0-9]{{{PREFIX_LENGTH}}})"
    rf"_[A-Za-z0-9]{{{SECRET_LENGTH}}}"
)

AnyKey = ApiKey | InstallationKey


@dataclass(frozen=True, slots=True)
class ParsedToken:
    """What a key says of itself. `domain_uuid` is None for the installation's."""

    domain_uuid: UUID | None
    prefix: str


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key and, for this one moment, the text of it."""

    key: AnyKey
    token: str


def parse_token(token: str) -> ParsedToken | None:
    """Take a key apart; None for what is none."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    domain = found["domain"]
    return ParsedToken(UUID(domain) if domain else None, found["prefix"])


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def assertion_secret(token: str) -> str:
    """What FusionPBX signs with: HMAC-SHA256 of the label under the whole key, in hexadecimal."""
    return hmac.new(token.encode(), ASSERTION_LABEL, hashlib.sha256).hexdigest()


def authenticate(token: str) -> AnyKey | None:
    """The key of this text, or None. Whether it is live and admitted from an address is for the caller to ask."""
    parsed = parse_token(token)
    if parsed is None:
        return None
    key: AnyKey | None
    if parsed.domain_uuid is None:
        key = find_installation_key(prefix=parsed.prefix)
    else:
        with tenant_context(parsed.domain_uuid):
            key = ApiKey.objects.select_related("domain").filter(prefix=parsed.prefix).first()
    if key is None or not hmac.compare_digest(key.secret_hash, hash_token(token)):
        return None
    return key


def find_installation_key(*, prefix: str) -> InstallationKey | None:
    with platform_context():
        return InstallationKey.objects.filter(prefix=prefix).first()


def note_use(key: AnyKey, address: str | None) -> None:
    """Write down that the key was used, in a transaction of its own, unless that was done a moment ago."""
    now = timezone.now()
    if key.last_used_at is not None and key.last_used_at > now - USE_NOTED_EVERY:
        return
    unnoted = models.Q(last_used_at__isnull=True) | models.Q(last_used_at__lte=now - USE_NOTED_EVERY)
    if isinstance(key, ApiKey):
        with tenant_context(key.domain_uuid):
            ApiKey.objects.filter(unnoted, pk=key.pk).update(last_used_at=now, last_used_ip=address)
    else:
        with platform_context():
            InstallationKey.objects.filter(unnoted, pk=key.pk).update(last_used_at=now, last_used_ip=address)


def issue_domain_key(
    *,
    domain_uuid: UUID,
    name: str,
    scopes: Sequence[str],
    allowed_ips: Sequence[str] = (),
    rate_per_minute: int | None = None,
    expires_at: datetime | None = None,
    created_by: str = "",
) -> IssuedKey:
    """Make a key to a domain. Raises ValidationError."""
    with tenant_context(domain_uuid):
        key = ApiKey(
            domain_id=domain_uuid,
            name=name,
            scopes=list(scopes),
            allowed_ips=list(allowed_ips),
            rate_per_minute=rate_per_minute,
            expires_at=expires_at,
            created_by=created_by[:200],
        )
        return _issue(key, f"vsd_{domain_uuid.hex}")


def issue_installation_key(
    *,
    name: str,
    scopes: Sequence[str],
    allowed_ips: Sequence[str] = (),
    rate_per_minute: int | None = None,
    expires_at: datetime | None = None,
    created_by: str = "",
) -> IssuedKey:
    """Make a key to the installation. Raises ValidationError."""
    with platform_context():
        key = InstallationKey(
            name=name,
            scopes=list(scopes),
            allowed_ips=list(allowed_ips),
            rate_per_minute=rate_per_minute,
            expires_at=expires_at,
            created_by=created_by[:200],
        )
        return _issue(key, "vsi")


def rotate(key: AnyKey, *, overlap: timedelta = DEFAULT_OVERLAP, created_by: str = "") -> IssuedKey:
    """A successor with the same rights; the old key goes on for `overlap`. Inside the key's own context.

    Raises ValueError where the key is dead or has a successor already.
    """
    now = timezone.now()
    old = type(key)._default_manager.select_for_update(of=("self",)).get(pk=key.pk)
    if not old.is_live(now) or old.replaced_by is not None:
        raise ValueError("The key is no longer in use, or has been rotated already.")
    expires_at = old.expires_at
    if expires_at is not None:
        expires_at = now + (expires_at - old.created_at)
    about: dict[str, Any] = {
        "name": old.name,
        "scopes": old.scopes,
        "allowed_ips": old.allowed_ips,
        "rate_per_minute": old.rate_per_minute,
        "expires_at": expires_at,
        "created_by": created_by,
    }
    if isinstance(old, ApiKey):
        issued = issue_domain_key(domain_uuid=old.domain_uuid, **about)
    else:
        issued = issue_installation_key(**about)
    end = now + min(max(overlap, timedelta(0)), MAX_OVERLAP)
    before = audit.before(old)
    old.expires_at = min(end, old.expires_at) if old.expires_at is not None else end
    old.replaced_by = issued.key.key_uuid
    old.save(update_fields=["expires_at", "replaced_by", "updated_at"])
    audit.saved(old, before)
    return issued


def revoke(key: AnyKey) -> None:
    """End a key at once. Inside its own context."""
    if key.revoked_at is None:
        before = audit.before(key)
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at", "updated_at"])
        audit.saved(key, before)


def _issue(key: AnyKey, lead: str) -> IssuedKey:
    key.prefix = _random(PREFIX_LENGTH)
    token = f"{lead}_{key.prefix}_{_random(SECRET_LENGTH)}"
    key.secret_hash = hash_token(token)
    if isinstance(key, InstallationKey):
        key.assertion_secret = assertion_secret(token)
    key.full_clean()
    key.save(force_insert=True)
    audit.saved(key, None)
    return IssuedKey(key, token)


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
