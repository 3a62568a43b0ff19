"""How often somebody may ask: a sliding minute, counted in Redis for all web processes together.

The last minute's count is this window's plus the share of the window before that is still within 60 s. Without Redis
the limit does not hold, and says so in the log: better than no API.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import redis
import structlog
from django.conf import settings

from secretary.api import shared_memory
from secretary.api.principal import Principal
from secretary.api.problems import Problem
from tenants.quotas import api_rate_of

log = structlog.get_logger(__name__)

WINDOW_S: Final = 60
FAILURES: Final = 60
"""Wrong keys from one address in a minute, before it is told to wait."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody stands: what they may do in a minute, what is left of it, and seconds until it is whole again."""

    limit: int
    remaining: int
    reset_s: int

    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_s),
            "RateLimit-Policy": f"{self.limit};w={WINDOW_S}",
        }


def limit_of(principal: Principal) -> int:
    """Requests per minute: the key's own, else the installation's default."""
    if principal.rate_per_minute is not None:
        return principal.rate_per_minute
    default: int = settings.API_INSTALLATION_RATE if principal.is_operator else settings.API_DOMAIN_RATE
    return default


_rates: dict[UUID, tuple[float, int | None]] = {}
RATE_KEPT_S: Final = 30.0
"""How long a process goes by a domain's quota before it reads it again."""
MOST_RATES: Final = 10_000


def admit_domain(domain_uuid: UUID) -> Standing | None:
    """Count a request of a domain, whichever of its keys sent it; None where it has no quota. Raises as `admit`."""
    now = time.monotonic()
    until, rate = _rates.get(domain_uuid, (0.0, None))
    if now >= until:
        rate = api_rate_of(domain_uuid)
        if len(_rates) >= MOST_RATES:
            _rates.clear()
        _rates[domain_uuid] = (now + RATE_KEPT_S, rate)
    return admit(f"domain:{domain_uuid}", rate) if rate is not None else None


def admit(name: str, limit: int, *, now: float | None = None) -> Standing | None:
    """Count a request. None: Redis is out of reach. Raises Problem `too_many_requests`."""
    moment = time.time() if now is None else now
    window, elapsed = int(moment // WINDOW_S), moment % WINDOW_S
    try:
        this, before = shared_memory.count(name, window=window, window_s=WINDOW_S)
    except redis.RedisError as error:
        log.warning("api.limit_not_held", error=str(error)[:200])
        return None
    used = this + before * (1 - elapsed / WINDOW_S)
    reset_s = max(1, math.ceil(WINDOW_S - elapsed))
    standing = Standing(limit, max(0, math.floor(limit - used)), reset_s)
    if used > limit:
        raise Problem("too_many_requests", headers={**standing.headers(), "Retry-After": str(reset_s)})
    return standing
