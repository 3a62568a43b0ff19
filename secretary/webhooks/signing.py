"""Signatures as standardwebhooks.com describes them, so that receivers find a library that checks them.

    webhook-id: <the event's UUID>                 the same at every attempt and replay: what a receiver dedupes by
    webhook-timestamp: <seconds since 1970>        of this attempt
    webhook-signature: v1,<base64> v1,<base64>     HMAC-SHA256 over "<id>.<timestamp>.<body>", one for each live secret

A secret reads `whsec_<base64 of 32 bytes>`; the key is the bytes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets as randomness
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"
FORM: Final = r"^whsec_(?:[A-Za-z0-9+/]{4}){8,21}(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)\Z"
"""A secret that somebody else has made: 25 to 66 bytes."""
TOLERANCE_S: Final = 300
"""A message whose timestamp is further away is refused: somebody may have recorded it."""
_VERSION: Final = "v1,"


class SignatureError(Exception):
    """Not from us, changed on its way, or too old. The message tells a developer which."""


def new_secret() -> str:
    return PREFIX + base64.b64encode(randomness.token_bytes(32)).decode("ascii")


def sign(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature."""
    content = f"{message_id}.{timestamp}.".encode() + body
    return _VERSION + base64.b64encode(hmac.digest(_key(secret), content, hashlib.sha256)).decode("ascii")


def headers(secrets: Sequence[str], *, message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The three headers, signed with every secret given."""
    timestamp = int(now.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(
            sign(secret, message_id=message_id, timestamp=timestamp, body=body) for secret in secrets
        ),
    }


def verify(secrets: Sequence[str], *, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """What a receiver does. Returns the message's id. Raises SignatureError.

    Names of headers in lower case; any secret and any of the signatures may be the matching pair.
    """
    try:
        message_id, stamp, given = (headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    except KeyError as error:
        raise SignatureError(f"the header {error} is missing") from error
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise SignatureError("the timestamp is no number")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE_S:
        raise SignatureError("the timestamp is too old or too new")
    wanted = [sign(secret, message_id=message_id, timestamp=int(stamp), body=body) for secret in secrets]
    for signature in given.split(" "):
        for right in wanted:
            if hmac.compare_digest(signature.encode(), right.encode()):
                return message_id
    raise SignatureError("no signature matches")


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError as error:  # binascii.Error among them
        raise SignatureError("the secret is none") from error
