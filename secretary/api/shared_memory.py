"""What the web processes know together, in Redis: counts of requests, and nonces that were seen."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, cast

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

PREFIX: Final = "secretary:api:"
TIMEOUT_S: Final = 0.5


@lru_cache(maxsize=1)
def client() -> redis.Redis:
    """This process's pool of connections. Every command may raise redis.RedisError."""
    return connect(settings.REDIS_URL)


def connect(url: str) -> redis.Redis:
    """A client that gives up soon: a request waits for it. One retry, for a connection that has gone stale."""
    return redis.Redis.from_url(
        url,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 1),
    )


def remember_nonce(nonce: str, *, seconds: int) -> bool:
    """Keep a nonce for a while. False: it was seen before."""
    return bool(client().set(f"{PREFIX}nonce:{nonce}", b"1", ex=max(1, seconds), nx=True))


def count(name: str, *, window: int, window_s: int) -> tuple[int, int]:
    """Count one more in a window of time; what this window and the one before it hold."""
    this, before = f"{PREFIX}rate:{name}:{window}", f"{PREFIX}rate:{name}:{window - 1}"
    with client().pipeline(transaction=False) as pipe:
        pipe.incr(this)
        pipe.expire(this, 2 * window_s + 1)
        pipe.get(before)
        now, _, last = cast("tuple[int, bool, bytes | None]", tuple(pipe.execute()))
    return now, int(last or 0)
