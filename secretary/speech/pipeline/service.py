"""Requests to a stage's service: kept connections, a deadline on everything, one more try where that does no harm.

A failure is a ProviderError that names the stage and carries its kind; bodies are looked at for known words only, and
never repeated: some servers put the key into them.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, Final, TypeVar

import httpx

from secretary.speech import net
from secretary.speech.contract import FailureKind, ProviderError
from secretary.speech.pipeline.settings import Stage

T = TypeVar("T")
MAX_ERROR: Final = 4096
"""Bytes of an error's body that are looked at."""
ERROR_BODY_S: Final = 0.5
PATIENCE_S: Final = 1.0
"""A service that asks to be left alone for longer than this is given up."""
BREATH_S: Final = 0.1
"""Before the second try."""
IDLE_CLIENTS: Final = 64
"""Clients that no call uses and that are kept all the same, for their open connections."""
BUSY: Final = frozenset({"too_many_concurrent_requests", "system_busy", "overloaded_error"})
"""Words of a service that is full for a moment: the sentence before is still being made, say."""
BUSY_S: Final = 0.4
MOST_CONNECTIONS: Final = 600
"""To one service with one key: two sentences and a model's answer in each of 200 calls."""
COLD_S: Final = 45.0
"""Kept connections live for 60 s without use."""
_KNOWN: Final[dict[str, FailureKind]] = {
    "insufficient_quota": "refused",
    "quota_exceeded": "refused",
    "billing_error": "refused",
    "invalid_api_key": "auth",
    "authentication_error": "auth",
    "permission_error": "auth",
    "model_not_found": "refused",
    "voice_not_found": "refused",
    "context_length_exceeded": "refused",
    "rate_limit_error": "rate_limited",
    "rate_limit_exceeded": "rate_limited",
    "too_many_concurrent_requests": "rate_limited",
    "system_busy": "rate_limited",
    "overloaded_error": "rate_limited",
    "api_error": "unreachable",
    "server_error": "unreachable",
    "timeout_error": "unreachable",
    "invalid_request_error": "refused",
    "not_found_error": "refused",
}
"""Words that vendors use in error bodies; they say more than the status does (429 for an empty account, say)."""

log = logging.getLogger(__name__)


class Clients:
    """The HTTP clients of a node: one for each service and key, shared by the calls that use it."""

    def __init__(self) -> None:
        self._clients: OrderedDict[object, tuple[httpx.AsyncClient, int]] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()
        self._warmed: OrderedDict[object, float] = OrderedDict()

    def take(self, stage: Stage) -> httpx.AsyncClient:
        """The stage's client. Give it back with `leave`."""
        key = _key(stage)
        client, users = self._clients[key] if key in self._clients else (_client(stage), 0)
        self._clients[key] = client, users + 1
        self._clients.move_to_end(key)
        return client

    def leave(self, stage: Stage) -> None:
        key = _key(stage)
        client, users = self._clients.get(key, (None, 0))
        if client is None:
            return
        self._clients[key] = client, users - 1
        idle = [key for key, (_, users) in self._clients.items() if users <= 0]
        for key in idle[: max(0, len(idle) - IDLE_CLIENTS)]:
            closing = asyncio.create_task(self._clients.pop(key)[0].aclose(), name="close an idle client")
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    def is_cold(self, stage: Stage) -> bool:
        """Whether a request now would have to connect first, as far as is known. True once a while at most."""
        if not stage.url or stage.service == "deepgram":
            return False
        now, key = time.monotonic(), _key(stage)
        cold = now - self._warmed.get(key, -COLD_S) >= COLD_S
        if cold:
            self._warmed[key] = now
            self._warmed.move_to_end(key)
            if len(self._warmed) > 1000:
                self._warmed.popitem(last=False)
        return cold

    async def close(self) -> None:
        clients = [client for client, _ in self._clients.values()]
        self._clients.clear()
        await asyncio.gather(*(client.aclose() for client in clients), *self._closing, return_exceptions=True)


class Service:
    """One stage's service in one call."""

    def __init__(self, stage: Stage, client: httpx.AsyncClient) -> None:
        self.stage = stage
        self.client = client

    async def stream(
        self,
        build: Callable[[], httpx.Request],
        parse: Callable[[httpx.Response], AsyncIterator[T]],
    ) -> AsyncGenerator[T, None]:
        """What `parse` makes of the answer, as it comes. Raises ProviderError.

        The first piece is there within the stage's time, both tries together, and no pause is longer than that. There
        is a second try only while nothing has come: nobody hears a sentence twice.
        """
        loop = asyncio.get_running_loop()
        first_by = loop.time() + self.stage.timeout_s
        for last_try in (False, True):
            begun = False
            try:
                async with aclosing(self._once(build, parse)) as pieces:
                    while True:
                        limit = self.stage.timeout_s if begun else first_by - loop.time()
                        try:
                            piece = await within(limit, anext(pieces))
                        except StopAsyncIteration:
                            return
                        begun = True
                        yield piece
            except ProviderError as plain:
                error = self.failure(plain)
                wait = error.retry_after_s or BREATH_S
                if begun or last_try or not _worth_another(error) or loop.time() + wait >= first_by:
                    raise error from None
                log.info("%s: once more after: %s", self.stage.name, error)
                await asyncio.sleep(wait)

    async def _once(
        self, build: Callable[[], httpx.Request], parse: Callable[[httpx.Response], AsyncIterator[T]]
    ) -> AsyncGenerator[T, None]:
        response: httpx.Response | None = None
        try:
            response = await self.client.send(build(), stream=True)
            if not response.is_success:
                raise await self._refusal(response)
            async for piece in parse(response):
                yield piece
        except (GeneratorExit, asyncio.CancelledError):
            raise
        except httpx.RemoteProtocolError as error:
            # Mostly a kept connection that the other side closed while it was idle: a new one will do.
            raise self.failure(net.provider_error(error, host=self._host), retryable=response is None) from None
        except Exception as error:
            raise self.failure(net.provider_error(error, host=self._host)) from None
        finally:
            if response is not None:
                await response.aclose()

    @property
    def _host(self) -> str:
        return net.host_of(self.stage.url)

    async def _refusal(self, response: httpx.Response) -> ProviderError:
        error = net.status_error(response.status_code, response.headers.get("Retry-After", ""), host=self._host)
        body = b""
        try:
            async with asyncio.timeout(ERROR_BODY_S):
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > MAX_ERROR:
                        break
        except (TimeoutError, httpx.HTTPError):
            pass
        return named(error, *words_of(body))

    def failure(self, error: ProviderError, *, retryable: bool | None = None) -> ProviderError:
        """The same, with the stage's name before it."""
        text = str(error)
        if not text.startswith(self.stage.name):
            text = f"{self.stage.name}: {text}"
        retryable = error.retryable if retryable is None else retryable
        return ProviderError(text, kind=error.kind, retryable=retryable, retry_after_s=error.retry_after_s)

    def wrong(self, what: str, kind: FailureKind = "protocol") -> ProviderError:
        return ProviderError(f"{self.stage.name}: {what}", kind=kind)


async def within(seconds: float, what: Awaitable[T]) -> T:
    """Raises ProviderError (`unreachable`, not to be tried again: the time is used up)."""
    try:
        async with asyncio.timeout(seconds):
            return await what
    except TimeoutError:
        raise ProviderError("no answer in time", kind="unreachable", retryable=False) from None


def words_of(body: bytes) -> list[str]:
    """The known words of an error's body, in the places where vendors put them."""
    try:
        value = json.loads(body)
    except ValueError:
        return []
    found: list[Any] = []
    for part in (value, *(value.get(name) for name in ("error", "detail"))) if isinstance(value, dict) else ():
        if isinstance(part, dict):
            found += [part.get("code"), part.get("status"), part.get("type")]
    return [word for word in found if isinstance(word, str) and word in _KNOWN]


def named(error: ProviderError, *words: str) -> ProviderError:
    """The error with the kind that the other side's own words give it."""
    if not words:
        return error
    wait = error.retry_after_s
    if wait is None and words[0] in BUSY:
        wait = BUSY_S
    return ProviderError(f"{error} ({words[0]})", kind=_KNOWN[words[0]], retry_after_s=wait)


def _worth_another(error: ProviderError) -> bool:
    if error.kind == "rate_limited":
        return error.retry_after_s is not None and error.retry_after_s <= PATIENCE_S
    return error.retryable


def _key(stage: Stage) -> object:
    return stage.url, stage.key, stage.guarded


def _client(stage: Stage) -> httpx.AsyncClient:
    # Its own limits are only a net below ours: each call has its stage's time (`Service.stream`).
    return net.http_client(guarded=stage.guarded, read_s=60.0, max_connections=MOST_CONNECTIONS)
