"""One WebSocket to a realtime provider: a bounded queue out, a reader in, and an end within a second.

Audio is worth nothing when late, so a connection that does not take it loses the oldest frames, which are counted.
What steers the conversation is never dropped: a connection that cannot take even that is lost.
"""

from __future__ import annotations

import asyncio
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from secretary.speech.contract import ProviderError

AUDIO: Final = 150
"""Audio messages that wait for the connection: 3 s of frames of 20 ms."""
CONTROL: Final = 300
"""Other messages that wait."""
STALLED_S: Final = 5.0
"""A connection that takes nothing for so long is lost."""
CLOSE_S: Final = 0.6
"""For the closing handshake; after it the connection is cut."""

log = structlog.get_logger(__name__)
Message = str | bytes


class Wire:
    """An open connection whose handshake is over. `start` begins to read and to write; nothing is written before."""

    def __init__(
        self,
        connection: ClientConnection,
        *,
        host: str,
        on_message: Callable[[Wire, Message], None],
        on_lost: Callable[[Wire, ProviderError], None],
        explain: Callable[[BaseException], ProviderError],
        decode: bool | None = False,
    ) -> None:
        """`decode=False`: text comes as UTF-8 bytes, fastest to read JSON from; None keeps text and binary apart."""
        self.host = host
        self.dropped = 0
        """Audio messages that were thrown away because the connection did not take them."""
        self.closed = False
        self._connection = connection
        self._on_message, self._on_lost, self._explain = on_message, on_lost, explain
        self._decode = decode
        self._loop = asyncio.get_running_loop()
        self._queue: deque[tuple[bool, Message]] = deque()
        self._audio = 0
        self._wake: asyncio.Future[None] | None = None
        self._busy_since = 0.0
        self._last_sent = self._loop.time()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [
            self._loop.create_task(self._read(), name="realtime reader"),
            self._loop.create_task(self._write(), name="realtime writer"),
        ]

    @property
    def idle_s(self) -> float:
        """Seconds since something was last given to the connection."""
        return self._loop.time() - self._last_sent

    def send(self, message: Message) -> None:
        """Queue a message of the protocol. Bytes are sent as text when the wire reads text, as binary otherwise."""
        if self.closed:
            return
        if len(self._queue) - self._audio >= CONTROL:
            self._lose(ProviderError(f"{self.host} does not take what we send", kind="unreachable"))
            return
        self._queue.append((False, message))
        self._stir()

    def send_audio(self, message: Message) -> None:
        """Queue a message of audio; of too many the oldest are dropped."""
        if self.closed:
            return
        if self._audio >= AUDIO:
            if self._busy_since and self._loop.time() - self._busy_since > STALLED_S:
                self._lose(ProviderError(f"{self.host} does not take our audio", kind="unreachable"))
                return
            self._drop_oldest()
        self._audio += 1
        self._queue.append((True, message))
        self._stir()

    async def close(self) -> None:
        """Stop reading and writing, say goodbye, let go of the socket. Within 1 s. Idempotent."""
        self.closed = True
        self._queue.clear()
        self._audio = 0
        current = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not current]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await shut(self._connection)
        if self.dropped:
            log.info("realtime_audio_dropped", host=self.host, messages=self.dropped)

    def _drop_oldest(self) -> None:
        for at, (is_audio, _message) in enumerate(self._queue):
            if is_audio:
                del self._queue[at]
                self._audio -= 1
                self.dropped += 1
                return

    def _stir(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def _write(self) -> None:
        connection, queue = self._connection, self._queue
        text = True if self._decode is False else None
        try:
            while True:
                while queue:
                    is_audio, message = queue.popleft()
                    if is_audio:
                        self._audio -= 1
                    self._last_sent = self._busy_since = self._loop.time()
                    await connection.send(message, text=text)
                    self._busy_since = 0.0
                self._wake = self._loop.create_future()
                await self._wake
        except ConnectionClosed:
            pass  # the reader tells why
        except Exception as error:  # whatever breaks here must not end in silence
            self._lose(self._explain(error))

    async def _read(self) -> None:
        connection, decode = self._connection, self._decode
        try:
            while True:
                message = await connection.recv(decode=decode)
                if self.closed:
                    return
                self._on_message(self, message)
        except ConnectionClosed as error:
            self._lose(self._explain(error))
        except ProviderError as error:
            self._lose(error)
        except Exception as error:
            log.error("realtime_message_failed", host=self.host, error=type(error).__name__, where=_where(error))
            self._lose(ProviderError(f"{self.host} sent what is not understood", kind="protocol"))

    def _lose(self, error: ProviderError) -> None:
        if not self.closed:
            self.closed = True
            self._queue.clear()
            self._audio = 0
            self._on_lost(self, error)


async def shut(connection: ClientConnection) -> None:
    """Close a connection politely for as long as that is quick, then at once."""
    try:
        with suppress(TimeoutError, ConnectionClosed, OSError):
            async with asyncio.timeout(CLOSE_S):
                await connection.close()
    finally:
        connection.transport.abort()


def _where(error: BaseException) -> str:
    """Where it was raised. Not the error's text: it may quote what somebody said."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames[-3:]))
