"""Watching a call as the panel does: through the channel layer's group of the call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from channels.layers import get_channel_layer

Watcher = Callable[[Mapping[str, Any]], None]


class LiveView:
    """Subscribed between `open` and `close`; `watcher` gets every message of the call's group. Messages may be lost:
    what counts is read from the rows afterwards."""

    def __init__(self, call_uuid: str, watcher: Watcher) -> None:
        self._group = f"call.{call_uuid}"
        self._watcher = watcher
        self._layer: Any = get_channel_layer()
        self._channel = ""
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._channel = await self._layer.new_channel()
        await self._layer.group_add(self._group, self._channel)
        self._task = asyncio.create_task(self._receive(), name="live view")

    async def _receive(self) -> None:
        while True:
            self._watcher(await self._layer.receive(self._channel))

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._layer.group_discard(self._group, self._channel)
            await self._layer.flush()
