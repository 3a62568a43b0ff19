"""The Channels consumer behind `/media/<token>`: one switch's audio connection for one call.

It is a consumer like any other, except that no frame takes Channels' ordinary road. Stock `AsyncConsumer` makes a
task for each message and hops to a thread and back to close old database connections: 1.5 % of a core for each call.
Here a message goes from the server's queue straight to the leg, and nothing in this file touches the database.
"""

from __future__ import annotations

import logging
import time
from typing import Any, Final

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from .audio_fork import SUBPROTOCOL
from .counters import MediaCounters
from .tokens import TokenBook, TokenRefusedError
from .websocket_leg import NORMAL, WebSocketLeg
from .wire import AsgiWire

log = logging.getLogger(__name__)
_REFUSED: Final = 4403


class MediaConsumer(AsyncWebsocketConsumer):
    """One connection. Accepts at once (mod_audio_stream gives up after 1 s), or refuses by HTTP 403."""

    def __init__(self, tokens: TokenBook[WebSocketLeg], counters: MediaCounters) -> None:
        super().__init__()
        self._tokens = tokens
        self._counters = counters
        self._leg: WebSocketLeg | None = None
        self._wire: AsgiWire | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # No channel layer: nobody sends to a leg through it, and its absence saves a task for each message.
        self.scope = scope
        self.base_send = send
        try:
            while True:
                message = await receive()
                leg = self._leg
                if leg is not None and message["type"] == "websocket.receive":
                    if self._wire is None or self._wire.closed:
                        continue
                    data = message.get("bytes")
                    if data is not None:
                        leg.received_bytes(data)
                    else:
                        leg.received_text(message.get("text") or "")
                else:
                    await self.dispatch(message)
        except StopConsumer:
            pass
        finally:
            self._gone(1006)

    async def dispatch(self, message: Any) -> None:
        """Everything but audio, without Channels' thread hop: nothing here has a database connection to close."""
        if message["type"] == "websocket.connect":
            await self.connect()
        elif message["type"] == "websocket.disconnect":
            self._gone(int(message.get("code") or 1005))
            raise StopConsumer

    async def connect(self) -> None:
        token = self.scope["path"].rpartition("/")[2]
        try:
            grant = self._tokens.redeem(token, time.monotonic())
        except TokenRefusedError as refused:
            name = f"tokens_refused_{refused.why}"
            setattr(self._counters, name, getattr(self._counters, name) + 1)
            client = self.scope.get("client") or ("?",)
            log.warning("an audio connection from %s is refused: token %s", client[0], refused.why)
            await self.close(_REFUSED)
            return
        offered = self.scope.get("subprotocols") or ()
        await self.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        self._wire = AsgiWire(self.base_send)  # type: ignore[arg-type]
        if grant.leg.opened(self._wire, grant):
            self._leg = grant.leg
        else:
            self._wire.close(NORMAL)

    def _gone(self, code: int) -> None:
        leg, wire, self._leg = self._leg, self._wire, None
        if wire is None:
            return
        ours, wire.closed = wire.closed, True
        if leg is not None and not ours:
            leg.disconnected(code)
