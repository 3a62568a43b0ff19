"""How often a tenant's tool may be used in a minute, by all its calls on all nodes together: counted in Redis.

Without Redis every node counts for itself: a limit that holds a little less is better than no tool, or none at all.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final, cast
from uuid import UUID
from weakref import WeakKeyDictionary

import redis.asyncio as redis
import structlog
from django.conf import settings
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

PREFIX: Final = "secretary:tools:rate:"
WINDOW_S: Final = 60
TIMEOUT_S: Final = 0.3
MOST_COUNTED: Final = 10_000


class Rate:
    """One of a process; belongs to one event loop."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        self._here: dict[tuple[UUID, int], int] = {}

    async def admit(self, tool_uuid: UUID, per_minute: int, *, now: float | None = None) -> bool:
        """Count one more use; whether it may be."""
        window = int((time.time() if now is None else now) // WINDOW_S)
        key = f"{PREFIX}{tool_uuid}:{window}"
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.incr(key)
                pipe.expire(key, 2 * WINDOW_S)
                used = cast("int", (await pipe.execute())[0])
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("tools.rate_by_this_node_alone", error=str(error)[:200])
            used = self._count_here(tool_uuid, window)
        return used <= per_minute

    def _count_here(self, tool_uuid: UUID, window: int) -> int:
        if len(self._here) >= MOST_COUNTED:
            self._here.clear()
        self._here[tool_uuid, window] = used = self._here.get((tool_uuid, window), 0) + 1
        return used


_of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Rate] = WeakKeyDictionary()


def rate() -> Rate:
    """The counter of the running event loop: connections are not shared between loops."""
    loop = asyncio.get_running_loop()
    if (found := _of_loop.get(loop)) is None:
        found = _of_loop[loop] = Rate(settings.REDIS_URL)
    return found
