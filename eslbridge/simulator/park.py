"""The park loop: where a channel under an async socket listens for `sendmsg`.

Without `event-lock: true` a new application starts at once, nested in the one that runs; with it they run in order.
At most 256 messages wait (FreeSWITCH's private queue).
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from eslbridge.simulator.media_udp import Unicast, UnicastOrder
from eslbridge.simulator.peer import Command

if TYPE_CHECKING:
    from eslbridge.simulator.channel import Channel

MAX_MESSAGES = 256
_QUIET_APPS = frozenset({"set", "export", "unset", "multiset", "log", "answer", "pre_answer", "info", "multiunset"})
"""Applications that return at once and leave the unicast audio of a parked channel alone."""


class Park:
    """The private message queue of one channel, and the loop that empties it."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.messages: deque[Command] = deque()
        self.parked = False
        self.controlled = False
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._unicast_used = False

    def queue_message(self, command: Command) -> bool:
        if len(self.messages) >= MAX_MESSAGES:
            return False
        self.messages.append(command)
        self._wake.set()
        return True

    def flush(self) -> None:
        """Forget what waits (`uuid_break <uuid> all`)."""
        self.messages.clear()

    @property
    def is_quiet(self) -> bool:
        """Whether the channel is parked, and no application runs in the loop."""
        return self.parked and not self._running

    def release(self) -> None:
        """CF_CONTROLLED goes: the loop leaves once what runs has come to its end."""
        self.controlled = False
        self._wake.set()

    async def run(self) -> None:
        """Until released, transferred or hung up."""
        channel = self.channel
        self.parked = self.controlled = True
        self._unicast_used = False
        patience = self._patience()
        channel.emit("CHANNEL_PARK")
        channel.media.parked = True
        try:
            while self.controlled:
                if self.messages:
                    await self._take(self.messages.popleft())
                else:
                    self._wake.clear()
                    try:
                        await asyncio.wait_for(self._wake.wait(), patience)
                    except TimeoutError:
                        channel.hang_up("NORMAL_CLEARING")
                        await asyncio.sleep(0)
            if self._running:
                await asyncio.wait(self._running)
        finally:
            for task in self._running:
                task.cancel()
            self.parked = self.controlled = False
            channel.media.parked = False
            channel.end_unicast()
            if self._running:
                # Their EXECUTE_COMPLETE comes before our UNPARK: they were nested in us.
                await asyncio.gather(*self._running, return_exceptions=True)
            channel.emit("CHANNEL_UNPARK")

    def _patience(self) -> float | None:
        """`park_timeout`: seconds after which a parked channel that nobody wants is hung up; used up once read."""
        seconds = str(self.channel.variables.pop("park_timeout", "")).partition(":")[0]
        return float(seconds) if seconds.isdigit() else None

    async def _take(self, message: Command) -> None:
        headers = message.headers
        call = headers.get("call-command", "").lower()
        if call == "execute":
            app = headers.get("execute-app-name", "")
            data = headers.get("execute-app-arg", "") or message.body
            if app in _QUIET_APPS:
                await self.channel.execute(app, data, event_uuid=headers.get("event-uuid", ""))
                return
            task = asyncio.get_running_loop().create_task(self._nested(app, data, headers))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            if headers.get("event-lock", "").lower() == "true":
                await asyncio.wait({task})
        elif call == "hangup":
            self.channel.hang_up(headers.get("hangup-cause", "NORMAL_CLEARING") or "NORMAL_CLEARING")
            await asyncio.sleep(0)
        elif call == "unicast":
            await self._unicast(headers)
        # nomedia and xferext are not played.

    async def _nested(self, app: str, data: str, headers: dict[str, str]) -> None:
        channel = self.channel
        channel.media.parked = False
        try:
            loops = int(headers.get("loops", "1") or "1")
            await channel.execute(app, data, event_uuid=headers.get("event-uuid", ""), loops=loops)
        finally:
            channel.media.parked = self.parked and len(self._running) <= 1

    async def _unicast(self, headers: dict[str, str]) -> None:
        """Activate the audio socket. A second message, or one after a reset, changes nothing (FreeSWITCH keeps the
        dead connection's pointer until park is left)."""
        channel = self.channel
        if self._unicast_used:
            return
        try:
            order = UnicastOrder(
                (headers.get("local-ip", "127.0.0.1"), int(headers.get("local-port", "8025"))),
                (headers.get("remote-ip", "127.0.0.1"), int(headers.get("remote-port", "8026"))),
                "native" in headers.get("flags", ""),
            )
        except ValueError:
            return
        unicast = Unicast(order, channel.codec, channel.faults)
        if not await unicast.open():
            return
        self._unicast_used = True
        channel.pre_answer()
        channel.media.unicast = unicast
