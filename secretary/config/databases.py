"""From `DATABASE_URL` and `REDIS_URL` to what Django, Celery and Channels want to be told."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from secretary.config import env


def postgresql(url: str, *, pool_size: int, statement_timeout_ms: int) -> dict[str, Any]:
    """Django's settings of one PostgreSQL, by psycopg 3.

    `postgresql://user:password@host:port/name?sslmode=require`; a folder of sockets goes into `host=`:
    `postgresql://user@/name?host=/run/postgresql`. `pool_size` 0 turns the pool off.

    Connections are never persistent (a thread of an ASGI server is no owner); the pool makes that cheap. Timeouts bound
    every statement, every wait for a lock and every transaction that somebody forgot: milliseconds, 0 = unlimited.
    """
    parts = env.split_url(url)
    name = parts.path.removeprefix("/")
    if not name:
        raise ImproperlyConfigured("DATABASE_URL names no database; wanted: postgresql://user:password@host:port/name.")
    query = dict(parts.query)
    host = query.pop("host", "") or parts.host
    port = query.pop("port", "") or (parts.port or "")
    options: dict[str, Any] = {
        **query,
        "connect_timeout": int(query.get("connect_timeout", 5)),
        "options": (
            f"-c statement_timeout={statement_timeout_ms} -c lock_timeout={statement_timeout_ms // 3}"
            " -c idle_in_transaction_session_timeout=60000"
        ),
    }
    if pool_size:
        # One connection is kept warm; a process that is idle for 10 min gives the others back.
        options["pool"] = {"min_size": 1, "max_size": pool_size, "timeout": 10, "max_idle": 600.0}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": parts.user,
        "PASSWORD": parts.password,
        "HOST": host,
        "PORT": str(port),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def celery_broker(redis_url: str) -> str:
    """Kombu's spelling of a Redis URL: for a socket file `redis+socket://…?virtual_host=N` instead of `unix://…?db=N`."""
    if not redis_url.startswith("unix://"):
        return redis_url
    parts = env.split_url(redis_url)
    secret = f":{parts.password}@" if parts.password else ""
    return f"redis+socket://{secret}{parts.path}?virtual_host={parts.query.get('db', '0')}"
