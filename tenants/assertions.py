"""Assertions: FusionPBX says, for a minute, which user of which domain it acts for.

    Authorization: Assertion <base64url of the claims>.<base64url of the signature>

Claims are compact JSON: `kid` (the installation key's prefix), `aud` ("api"), `dom` (domain_uuid), `sub` (the user's
name), `exp` (Unix time, at most 60 s from now), `jti` (a nonce of 16 to 64 characters) and optionally `scp` (a list
of scopes, fewer than the key's). The signature is HMAC-SHA256 over the first part as it was sent, under
`keys.assertion_secret(key)`, whose hexadecimal text is the key of the MAC. No database and no clock in here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

MAX_LIFETIME_S: Final = 60
LEEWAY_S: Final = 5
"""How far two clocks may differ."""
MAX_LENGTH: Final = 4_096
AUDIENCE: Final = "api"

_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")
_PREFIX = re.compile(r"[A-Za-z0-9]{1,16}")


class AssertionRefused(Exception):
    """The assertion is not to be believed. The reason is one word, for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Claims:
    """What an assertion says. Nothing of it is true before `verify`."""

    key_prefix: str
    audience: str
    domain_uuid: UUID
    user: str
    expires_at: int
    nonce: str
    scopes: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Assertion:
    claims: Claims
    signed: bytes
    signature: bytes


def parse(text: str) -> Assertion:
    """Take an assertion apart. Raises AssertionRefused("malformed")."""
    payload, _, signature = text.partition(".")
    if len(text) > MAX_LENGTH or not payload or not signature:
        raise AssertionRefused("malformed")
    try:
        claims = orjson.loads(_decode(payload))
        return Assertion(_claims(claims), payload.encode("ascii"), _decode(signature))
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise AssertionRefused("malformed") from error


def verify(assertion: Assertion, *, secret: str, now: float) -> None:
    """Check signature, audience and time. Replays are refused by who keeps the nonces. Raises AssertionRefused."""
    expected = hmac.new(secret.encode(), assertion.signed, hashlib.sha256).digest()
    if not hmac.compare_digest(expected, assertion.signature):
        raise AssertionRefused("signature")
    if assertion.claims.audience != AUDIENCE:
        raise AssertionRefused("audience")
    left = assertion.claims.expires_at - now
    if left <= -LEEWAY_S:
        raise AssertionRefused("expired")
    if left > MAX_LIFETIME_S + LEEWAY_S:
        raise AssertionRefused("lifetime")


def sign(claims: dict[str, Any], *, secret: str) -> str:
    """Make an assertion, as FusionPBX does: for tests and for programs in Python."""
    payload = _encode(orjson.dumps(claims))
    return f"{payload}.{_encode(hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest())}"


def _claims(found: Any) -> Claims:
    prefix, nonce, expires_at, user = found["kid"], found["jti"], found["exp"], found["sub"]
    scopes = found.get("scp")
    if not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix):
        raise ValueError("kid")
    if not isinstance(nonce, str) or not _NONCE.fullmatch(nonce):
        raise ValueError("jti")
    if not isinstance(expires_at, int) or isinstance(expires_at, bool):
        raise ValueError("exp")
    if not isinstance(user, str) or not 1 <= len(user) <= 150 or not user.isprintable():
        raise ValueError("sub")
    if scopes is not None and not (isinstance(scopes, list) and all(isinstance(scope, str) for scope in scopes)):
        raise ValueError("scp")
    return Claims(
        key_prefix=prefix,
        audience=str(found["aud"]),
        domain_uuid=UUID(found["dom"]),
        user=user,
        expires_at=expires_at,
        nonce=nonce,
        scopes=frozenset(scopes) if scopes is not None else None,
    )


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
