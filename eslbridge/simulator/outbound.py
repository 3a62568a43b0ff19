"""The `socket` application: a call that connects to its node, and what becomes of the call when the node fails.

Recorded from FreeSWITCH 1.11, `async full`: refused → next host, then next action at once; accepted and silent →
24.5 s; ended before park is entered → parked for ever, or with `socket_resume=true` the next action; ended later → the
next action, after the running application has come to its end, or with `socket_resume=true` at once.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from eslbridge.simulator import template
from eslbridge.simulator.commands import CommandPeer
from eslbridge.simulator.events import Headers, render_headers
from eslbridge.simulator.peer import Command

if TYPE_CHECKING:
    from eslbridge.simulator.channel import Channel

CONNECT_S = 127.0
"""The kernel's patience with a host that drops SYNs."""


class OutboundPeer(CommandPeer):
    """The listener of one channel's `socket`."""

    def __init__(self, channel: Channel, *, asynchronous: bool, full: bool) -> None:
        super().__init__(channel.switch)
        self.session = channel
        self.channel = channel
        self.outbound = True
        self.asynchronous = asynchronous
        self.full = full
        self.connected = asyncio.Event()
        self.finished = asyncio.Event()
        self._first = True
        self._deadline: asyncio.TimerHandle | None = None

    def opened(self) -> None:
        self.channel.listeners.append(self)
        self.channel.switch.peers.add(self)
        self._deadline = self.switch.later(self.switch.options.silent_listener_s, self._silent)

    def _silent(self) -> None:
        if self._first:
            self.disconnect()

    async def handle(self, command: Command) -> None:
        if self._first:
            self._first = False
            if command.line.lower().startswith("connect"):
                self._connect()
            else:
                # Any other first command is executed, but gets no reply.
                self._mute = True
                await self.run_command(command)
                self._mute = False
                self.connected.set()
            return
        if command.line.lower().startswith("connect"):
            self._connect()
            return
        await self.run_command(command)

    _mute = False

    def write(self, data: bytes) -> None:
        if not self._mute:
            super().write(data)

    def _connect(self) -> None:
        self.connected.set()
        faults = self.channel.faults
        if faults.silent_connect:
            return
        if faults.garbage_connect:
            self.write(b"\x16\x03\x01\x02\x00\xff\xfe nonsense \x00\x01\n\n\xc3\x28\n")
            return
        channel = self.channel
        headers: Headers = [
            ("Event-Name", "CHANNEL_DATA"),
            *self.switch.stamps("CHANNEL_DATA"),
            *template.profile_headers(channel, "Channel"),
            *template.state_headers(channel),
            *((f"variable_{name}", value) for name, value in channel.variables.items()),
        ]
        raw = render_headers(headers)
        raw += "".join(f"{name}: {value}\n" for name, value in faults.connect_headers.items()).encode()
        if faults.oversized_connect:
            raw += b"variable_padding: " + b"x" * faults.oversized_connect + b"\n"
        mode = "async" if self.asynchronous else "static"
        control = "full" if self.full else "single-channel"
        tail: Headers = [
            ("Content-Type", "command/reply"),
            ("Reply-Text", "+OK\n"),
            ("Socket-Mode", mode),
            ("Control", control),
        ]
        self.write(raw + render_headers(tail) + b"\n")
        self._misbehave()

    def _misbehave(self) -> None:
        faults = self.channel.faults
        if faults.garbage_event:
            self.write(b"Content-Length: many\nContent-Type: text/event-plain\n\nEvent-Name: NONSENSE\n\n")
        if faults.oversized_event:
            size = faults.oversized_event
            self.write(b"Content-Length: %d\nContent-Type: text/event-json\n\n" % size + bytes(size))
        if faults.reset_after_s is not None:
            self.switch.later(faults.reset_after_s, self.reset)

    def gone(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self.channel.switch.peers.discard(self)
        if self in self.channel.listeners:
            self.channel.listeners.remove(self)
        self.finished.set()
        self.channel.listener_ended()


async def socket_application(channel: Channel, data: str) -> str | None:
    """`host:port[|host:port…] [async] [full]`. Returns to the dialplan when the node has let go."""
    words = data.split()
    if not words:
        return None
    peer = await _connect_first(channel, words[0].split("|")[:50], words[1:])
    if peer is None:
        return None
    await _either(peer.connected, peer.finished)
    # FreeSWITCH's call thread notices `connect` and enters park a moment later: whoever dies within it leaves a call
    # that waits for a listener it no longer has.
    await channel.switch.clock.sleep(channel.switch.options.park_entry_s)
    await channel.park.run()
    return None


async def _connect_first(channel: Channel, hosts: list[str], words: list[str]) -> OutboundPeer | None:
    clock = channel.switch.clock
    loop = asyncio.get_running_loop()
    for entry in hosts:
        address, _, path = entry.partition("/")
        host, _, port = address.rpartition(":")
        if path:
            channel.variables["socket_path"] = path
        channel.variables["socket_host"] = host
        peer = OutboundPeer(channel, asynchronous="async" in words, full="full" in words)
        try:
            async with asyncio.timeout(clock.real(CONNECT_S)):
                await loop.create_connection(lambda peer=peer: peer, host.strip("[]"), int(port))  # type: ignore[misc]
        except (OSError, ValueError) as error:
            channel.switch.log.info("stand-in switch: %s: %s refused: %s", channel.uuid, entry, error)
            continue
        return peer
    return None


async def _either(*events: asyncio.Event) -> None:
    """Until one of them is set."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
