"""Whether a colleague is free, asked from a worker that has no event loop: the default one, whose tasks are processes.
Under gevent a thread is none, and a loop in it would be everybody's.

A loop in a thread of its own keeps the connections to switches between questions, as the voice node's does: of ten
callbacks of one domain, one logs in. What nobody asks for is closed after a while.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as TookTooLong
from typing import Any, Final
from uuid import UUID

import structlog

from eslbridge.esl.async_pool import AsyncPool, DomainView
from eslbridge.esl.pool import address_of
from eslbridge.profiles import EslEndpoint
from eslbridge.selectors import esl_endpoint
from secretary.services.availability import ASKED, UNKNOWN, Availability, ask_over
from tenants.errors import UndecryptableError

log = structlog.get_logger(__name__)

LONGEST_S: Final = 4.0
IDLE_S: Final = 120.0


class _Asking:
    """The loop, its thread and its connections; those of another process (before a fork) are left alone."""

    def __init__(self) -> None:
        self._pid = 0
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pool = AsyncPool()

    def wait_for(self, work: Coroutine[Any, Any, Availability]) -> Availability:
        future = asyncio.run_coroutine_threadsafe(work, self._running())
        try:
            return future.result(LONGEST_S)
        except TookTooLong:
            future.cancel()
            log.info("colleague.unknown", error="no answer in time")
            return UNKNOWN

    async def ask(self, endpoint: EslEndpoint, kind: str, number: str) -> Availability:
        await self._pool.drop_idle(IDLE_S)
        switch = DomainView(self._pool.client(address_of(endpoint)))
        return await ask_over(switch, kind=kind, number=number, domain_name=endpoint.domain_name)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._pid != os.getpid():
                self._pid, self._pool, self._loop = os.getpid(), AsyncPool(), asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="asking switches", daemon=True).start()
            return self._loop

    def close(self) -> None:
        """For tests: end the connections and the loop."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None and self._pid == os.getpid():
            asyncio.run_coroutine_threadsafe(self._pool.close(), loop).result(LONGEST_S)
            loop.call_soon_threadsafe(loop.stop)


asking: Final = _Asking()


def colleague_free(*, domain_uuid: UUID, kind: str, number: str) -> Availability:
    """What the domain's switch says of a telephone; `unknown` where it does not say. Outside of every transaction."""
    if kind not in ASKED:
        return UNKNOWN
    try:
        endpoint = esl_endpoint(domain_uuid=domain_uuid)
    except UndecryptableError:
        return UNKNOWN
    return asking.wait_for(asking.ask(endpoint, kind, number)) if endpoint is not None else UNKNOWN
