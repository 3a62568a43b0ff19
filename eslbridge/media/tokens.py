"""One-shot tokens: what a switch must know to bring a call's audio to our WebSocket.

A token is 32 random bytes in the URL, lives for a minute at most, is good for one connection, and is bound to one
call of one domain. Only its SHA-256 is kept and looked up, so neither a memory dump nor the time of a comparison
tells a token.
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Generic, Literal, TypeVar

MAX_TTL_S: Final = 60.0
_MEMORY_S: Final = 60.0
"""How long a spent token is remembered, to tell `used` and `expired` from `unknown` in the log."""
_MAX_TOKENS: Final = 20_000

T = TypeVar("T")
Why = Literal["unknown", "used", "expired", "foreign"]


class TokenRefusedError(Exception):
    """This token opens nothing. `why` is for the counter and the log, never for whoever presented it."""

    def __init__(self, why: Why) -> None:
        super().__init__(f"audio token refused: {why}")
        self.why: Why = why


@dataclass(slots=True)
class Grant(Generic[T]):
    """What a token stands for."""

    call_uuid: str
    domain_uuid: str
    leg: T
    expires: float
    used: bool = False

    def is_for(self, call_uuid: str | None, domain_uuid: str | None) -> bool:
        """Whether it belongs to this call of this domain; None means that the other side did not say."""
        return _same(self.call_uuid, call_uuid) and _same(self.domain_uuid, domain_uuid)


class TokenBook(Generic[T]):
    """The tokens of one node. Time is passed in (seconds, monotonic)."""

    def __init__(self) -> None:
        self._grants: OrderedDict[bytes, Grant[T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._grants)

    def issue(self, *, call_uuid: str, domain_uuid: str, leg: T, now: float, ttl_s: float = MAX_TTL_S) -> str:
        """A new token. Raises ValueError for a life longer than MAX_TTL_S."""
        if not 0 < ttl_s <= MAX_TTL_S:
            raise ValueError(f"a token lives for {MAX_TTL_S:g} s at most, not {ttl_s:g}")
        self._sweep(now)
        token = secrets.token_urlsafe(32)
        self._grants[_digest(token)] = Grant(call_uuid, domain_uuid, leg, now + ttl_s)
        return token

    def redeem(
        self, token: str, now: float, *, call_uuid: str | None = None, domain_uuid: str | None = None
    ) -> Grant[T]:
        """Spend a token. Raises TokenRefusedError; one presented for a foreign call is spent, too."""
        grant = self._grants.get(_digest(token))
        if grant is None:
            raise TokenRefusedError("unknown")
        if grant.used:
            raise TokenRefusedError("used")
        grant.used = True
        if now >= grant.expires:
            raise TokenRefusedError("expired")
        if not grant.is_for(call_uuid, domain_uuid):
            raise TokenRefusedError("foreign")
        return grant

    def revoke(self, token: str) -> None:
        """The call is over or has its audio some other way. Idempotent."""
        self._grants.pop(_digest(token), None)

    def _sweep(self, now: float) -> None:
        # In order of issue, and so nearly in order of expiry: looking at the oldest is enough.
        while self._grants:
            digest, grant = next(iter(self._grants.items()))
            if grant.expires + _MEMORY_S > now and len(self._grants) < _MAX_TOKENS:
                return
            del self._grants[digest]


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogateescape")).digest()


def _same(ours: str, theirs: str | None) -> bool:
    return theirs is None or hmac.compare_digest(ours.lower().encode(), theirs.lower().encode("utf-8", "replace"))
