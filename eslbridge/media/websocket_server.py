"""The voice node's own little server: `/media/<token>` for switches, and what operators look at.

uvicorn runs inside the node's event loop, as a library: a call's audio connection, its conversation and its clock
must be in one process. `websockets-sansio` without compression carries a frame both ways in a quarter of a tenth of a
millisecond. No signal handlers, no lifespan, no access log (its lines would hold tokens).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import uvicorn

from .bounded_http import BoundedHttp
from .consumer import MediaConsumer
from .counters import MediaCounters
from .tokens import TokenBook
from .websocket_leg import WebSocketLeg

log = logging.getLogger(__name__)
MEDIA_PATH: Final = "/media/"
MAX_MESSAGE: Final = 1 << 20
"""Bytes in one WebSocket message: 65 s of audio, far more than any switch sends at once."""
_PING_S: Final = 20.0
_START_S: Final = 5.0
_STOP_S: Final = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP hook says."""

    status: int = 200
    body: bytes = b"ok\n"
    content_type: str = "text/plain; charset=utf-8"


HttpHook = Callable[[], Answer | Awaitable[Answer]]
"""Answers GET of one path. A hook that raises answers 500."""


class MediaApp:
    """ASGI: media consumers by token, hooks by path, nothing else."""

    def __init__(
        self, tokens: TokenBook[WebSocketLeg], counters: MediaCounters, hooks: Mapping[str, HttpHook] | None = None
    ) -> None:
        self._consumer = MediaConsumer.as_asgi(tokens=tokens, counters=counters)
        self._hooks = dict(hooks or {})

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            if scope["path"].startswith(MEDIA_PATH):
                await self._consumer(scope, receive, send)
            else:
                await receive()
                await send({"type": "websocket.close", "code": 4404})
        elif scope["type"] == "http":
            answer = await self._answer(scope)
            headers = [
                (b"content-type", answer.content_type.encode()),
                (b"content-length", str(len(answer.body)).encode()),
                (b"cache-control", b"no-store"),
            ]
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            body = b"" if scope["method"] == "HEAD" else answer.body
            await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Any) -> Answer:
        hook = self._hooks.get(scope["path"])
        if hook is None:
            return Answer(404, b"not found\n")
        if scope["method"] not in ("GET", "HEAD"):
            return Answer(405, b"only GET\n")
        try:
            answer = hook()
            return answer if isinstance(answer, Answer) else await answer
        except Exception:
            log.exception("the hook of %s failed", scope["path"])
            return Answer(500, b"error\n")


class _QuietServer(uvicorn.Server):
    """uvicorn without its signal handlers: the node has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class MediaServer:
    """Serves an app on an address, within the running loop."""

    def __init__(self, app: MediaApp, host: str, port: int) -> None:
        self._address = (host, port)
        self._socket: socket.socket | None = None
        self._task: asyncio.Task[None] | None = None
        # uvicorn's own log tells every connection with its path, and so its token: warnings only.
        self._server = _QuietServer(
            uvicorn.Config(
                app,
                ws="websockets-sansio",
                ws_per_message_deflate=False,
                ws_max_size=MAX_MESSAGE,
                ws_ping_interval=_PING_S,
                ws_ping_timeout=_PING_S,
                http=BoundedHttp,
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_STOP_S,
            )
        )

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens. Raises RuntimeError before `start`."""
        if self._socket is None:
            raise RuntimeError("the media server is not running")
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    async def start(self) -> None:
        """Bind and serve. Raises OSError, TimeoutError."""
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(self._address)
        except OSError:
            sock.close()
            raise
        self._socket = sock
        self._task = asyncio.create_task(self._server.serve(sockets=[sock]), name="media-server")
        async with asyncio.timeout(_START_S):
            while not self._server.started:
                if self._task.done():
                    await self._task
                    raise OSError("the media server ended while starting")
                await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Close every connection, within a few seconds. Idempotent."""
        task, self._task = self._task, None
        if task is None:
            return
        self._server.should_exit = True
        try:
            async with asyncio.timeout(_STOP_S + 2):
                await task
        except TimeoutError:
            log.warning("the media server did not end in time")
        self._socket = None
