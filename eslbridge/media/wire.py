"""Sending on an ASGI WebSocket without waiting: what a clock that must not stop needs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any

log = logging.getLogger(__name__)


class AsgiWire:
    """`Wire` over the `send` of an ASGI server.

    The server's `send` waits only where the peer does not read and its write buffer is full. Then its coroutine is
    thrown away at its first wait, before it has taken the message: a frame is worth nothing later.
    """

    __slots__ = ("_send", "closed")

    def __init__(self, send: Callable[[dict[str, Any]], Coroutine[Any, Any, None]]) -> None:
        self._send = send
        self.closed = False

    def send_bytes(self, data: bytes) -> bool:
        return self._now({"type": "websocket.send", "bytes": data})

    def send_text(self, text: str) -> bool:
        return self._now({"type": "websocket.send", "text": text})

    def close(self, code: int) -> None:
        if not self.closed:
            self._now({"type": "websocket.close", "code": code})
            self.closed = True

    def _now(self, message: dict[str, Any]) -> bool:
        if self.closed:
            return False
        coroutine = self._send(message)
        try:
            coroutine.send(None)
        except StopIteration:
            return True
        except Exception as error:  # the connection is gone; its end is on its way to the consumer
            log.debug("an audio connection does not take a message: %r", error)
            return False
        coroutine.close()
        return False
