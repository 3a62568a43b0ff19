"""What is happening in a call, for whoever is watching it: the panel's live view and the demo.

It goes out through the channel layer, which may drop messages: nothing about a call is decided by it, and what counts
is written to PostgreSQL when the call ends.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

import structlog
from channels.layers import get_channel_layer

from secretary.conversation.actions import Line, Note
from secretary.voicenode import metrics

log = structlog.get_logger(__name__)

MOST_WAITING = 1_000
"""Messages waiting for Redis; more are dropped and counted."""
SEND_S = 2.0
"""How long one message may take before it is given up."""


def group_of(call_uuid: str) -> str:
    """The Channels group that carries one call's live view."""
    return f"call.{call_uuid}"


class Live:
    """One sender for the whole node, so that a slow Redis costs no call anything."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue(MOST_WAITING)
        self._sender: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._sender = asyncio.create_task(self._send_all(), name="live")

    async def stop(self) -> None:
        """Send what still waits, within a second, and end."""
        if self._sender is None:
            return
        try:
            await asyncio.wait_for(self._queue.join(), 1.0)
        except TimeoutError:
            log.warning("live_view_cut", waiting=self._queue.qsize())
        self._sender.cancel()
        await asyncio.gather(self._sender, return_exceptions=True)

    def line(self, call_uuid: str, line: Line) -> None:
        self._put(call_uuid, {"type": "call.line", **asdict(line)})

    def note(self, call_uuid: str, note: Note) -> None:
        self._put(
            call_uuid, {"type": "call.event", "kind": note.kind, "at_ms": note.at_ms, "detail": dict(note.detail)}
        )

    def _put(self, call_uuid: str, message: dict[str, Any]) -> None:
        try:
            self._queue.put_nowait((group_of(call_uuid), message))
        except asyncio.QueueFull:
            metrics.LIVE_DROPPED.inc()

    async def _send_all(self) -> None:
        layer = get_channel_layer()
        if layer is None:
            raise RuntimeError("CHANNEL_LAYERS has no default layer")
        while True:
            group, message = await self._queue.get()
            try:
                async with asyncio.timeout(SEND_S):
                    await layer.group_send(group, message)
            except Exception as error:  # a live view must never cost a call
                metrics.LIVE_DROPPED.inc()
                log.warning("live_view_unreachable", error=repr(error))
            finally:
                self._queue.task_done()
