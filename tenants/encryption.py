"""Secrets at rest: a ring of Fernet keys, the newest of which encrypts. The one place that decrypts.

Stored form: `v1:<key id>:<token>`, where the key id is the first 8 hex digits of the key's SHA-256. It tells at once
which key is needed, and what a rotation has still to do. A value that cannot be opened raises: ciphertext must never
pass for the secret.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from tenants.errors import UndecryptableError

VERSION: Final = "v1"


class KeyRing:
    """Keys by id; the first is the one in use."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Raises ImproperlyConfigured when there is no key, or one that is not 32 bytes in URL-safe base64."""
        if not keys:
            raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS is not set; wanted: Fernet keys, the newest first.")
        self._fernets: dict[str, Fernet] = {}
        for position, key in enumerate(keys, start=1):
            try:
                self._fernets[key_id(key)] = Fernet(key)
            except (ValueError, TypeError) as error:
                raise ImproperlyConfigured(
                    f"FIELD_ENCRYPTION_KEYS: key {position} is no Fernet key; wanted: 32 bytes in URL-safe base64."
                ) from error
        self.current_id = key_id(keys[0])

    def encrypt(self, text: str) -> str:
        token = self._fernets[self.current_id].encrypt(text.encode()).decode("ascii")
        return f"{VERSION}:{self.current_id}:{token}"

    def decrypt(self, stored: str) -> str:
        """Raises UndecryptableError, whose message holds neither secret nor ciphertext."""
        version, _, rest = stored.partition(":")
        identity, _, token = rest.partition(":")
        if version != VERSION or not token:
            raise UndecryptableError("The stored value is no ciphertext of this platform.")
        fernet = self._fernets.get(identity)
        if fernet is None:
            raise UndecryptableError(f"FIELD_ENCRYPTION_KEYS lacks the key {identity}.")
        try:
            return fernet.decrypt(token).decode()
        except (InvalidToken, UnicodeDecodeError) as error:
            raise UndecryptableError(f"The stored value does not open with the key {identity}.") from error

    def is_current(self, stored: str) -> bool:
        """Whether the newest key made this ciphertext."""
        return stored.startswith(f"{VERSION}:{self.current_id}:")


def key_id(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:8]


def key_ring() -> KeyRing:
    """The installation's ring, made once for each value of the setting."""
    return _ring(tuple(settings.FIELD_ENCRYPTION_KEYS))


@lru_cache(maxsize=8)
def _ring(keys: tuple[str, ...]) -> KeyRing:
    return KeyRing(keys)
