"""The HTTP side of the node's server with a bound on time and number: uvicorn waits for a request's head for ever.

The media port shares its process, and so its file descriptors, with the switches' calls: strangers who connect and say
nothing must not keep a call out. A connection that becomes a WebSocket leaves this class behind, with its token spent.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

HTTP_S: Final = 10.0
"""How long a connection may live without becoming a WebSocket. Whoever asks for metrics comes again."""
MOST: Final = 512
"""Such connections at the same time; the next one is closed at once."""

_open: weakref.WeakKeyDictionary[object, int] = weakref.WeakKeyDictionary()
"""How many there are, by server (its state lives as long as it does)."""


class BoundedHttp(H11Protocol):
    """One connection, from its beginning to its end or to its upgrade."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        _open[self.server_state] = _open.get(self.server_state, 0) + 1
        self._deadline = self.loop.call_later(HTTP_S, transport.abort)
        if _open[self.server_state] > MOST:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._release()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: Any) -> None:
        self._release()
        super().handle_websocket_upgrade(event)

    def _release(self) -> None:
        deadline, self._deadline = self._deadline, None
        if deadline is not None:
            deadline.cancel()
            _open[self.server_state] -= 1
