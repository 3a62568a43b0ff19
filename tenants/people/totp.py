"""Time-based one-time passwords (RFC 6238 over RFC 4226): HMAC-SHA1, 6 digits, 30 s. Neither database nor clock."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from typing import Final
from urllib.parse import quote, urlencode

STEP_S: Final = 30
DIGITS: Final = 6
WINDOW: Final = 1
"""Steps before and after the present one whose codes are accepted: telephones' clocks differ."""
SECRET_BYTES: Final = 20


def new_secret() -> str:
    """160 random bits in base32, as RFC 4226 (R6) recommends."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def code_at(secret: str, step: int) -> str:
    """The code of one 30 s step."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def matching_step(secret: str, typed: str, *, now: float, after: int = 0) -> int | None:
    """The step whose code was typed, if it is within the window and newer than `after`; else None.

    Every candidate is compared, and in constant time.
    """
    present = int(now // STEP_S)
    given = typed.encode("ascii", "replace")
    found: int | None = None
    for step in range(present - WINDOW, present + WINDOW + 1):
        same = hmac.compare_digest(code_at(secret, max(step, 0)).encode(), given)
        if same and step > after:
            found = step
    return found


def uri(secret: str, *, account: str, issuer: str) -> str:
    """What the QR code says to an authenticator app (the Key Uri Format)."""
    label = quote(f"{issuer}:{account}", safe="@")
    query = urlencode({"secret": secret.rstrip("="), "issuer": issuer, "digits": DIGITS, "period": STEP_S})
    return f"otpauth://totp/{label}?{query}"
