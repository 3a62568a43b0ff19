"""The `unicast` endpoint: a call's audio as bare datagrams.

Facts from FreeSWITCH 1.11: L16 little-endian, 320 bytes each 20 ms, or with `flags: native` the codec's own 160 bytes
(the very first may still be 320); comfort noise goes out as 0xFF bytes; each datagram that arrives, from whomever, is
written to the call in its turn, one each 20 ms. What comes faster waits in the socket, and while anything waits there
`uuid_transfer` waits too: the thread that writes holds the channel's lock.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from dataclasses import dataclass
from typing import cast

from eslbridge.simulator import g711
from eslbridge.simulator.audio import FRAME_BYTES, SILENCE
from eslbridge.simulator.misbehave import Faults
from eslbridge.simulator.playout import Playout

FRAMES_OF_JITTER = 3
"""So many may wait in the telephone's own buffer."""

log = logging.getLogger("standin_switch")


@dataclass(frozen=True, slots=True)
class UnicastOrder:
    """What the `unicast` message asks for."""

    local: tuple[str, int]
    remote: tuple[str, int]
    native: bool


class Unicast(asyncio.DatagramProtocol):
    """One call's socket. `send` once a frame; what arrives waits in `playout` for the telephone."""

    def __init__(self, order: UnicastOrder, codec: str, faults: Faults) -> None:
        self.order = order
        self.codec = codec
        self.faults = faults
        self.playout = Playout()
        self.sent = 0
        self.transport: asyncio.DatagramTransport | None = None
        self._dice: random.Random = faults.dice()
        self._stranger: socket.socket | None = None
        self._strangers_left = faults.stranger_datagrams
        self._odd = b""

    @property
    def is_behind(self) -> bool:
        """More frames wait than jitter explains: FreeSWITCH then holds the channel's write lock without a break."""
        return len(self.playout.frames) > FRAMES_OF_JITTER

    async def open(self) -> bool:
        """Bind. False when the port is taken or the address is not ours: FreeSWITCH only logs it."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_datagram_endpoint(lambda: self, local_addr=self.order.local)
        except OSError as error:
            log.warning("stand-in switch: unicast cannot bind %s: %s", self.order.local, error)
            return False
        return True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        if self.faults.drop and self._dice.random() < self.faults.drop:
            return
        self.playout.push(g711.decode(self.codec, data) if self.order.native else data)

    def send(self, frame: bytes, *, comfort_noise: bool = False) -> None:
        """The telephone's next 20 ms of L16."""
        if self.transport is None:
            return
        if comfort_noise and frame == SILENCE:
            payload = b"\xff" * FRAME_BYTES
        elif self.order.native and self.sent:
            payload = g711.encode(self.codec, frame)
        else:
            payload = frame
        self.sent += 1
        if self._strangers_left > 0:
            self._send_as_stranger(payload)
        if self.faults.drop and self._dice.random() < self.faults.drop:
            return
        if self.faults.odd_datagrams:
            self._send_odd(payload)
            return
        self.transport.sendto(payload, self.order.remote)

    def _send_as_stranger(self, payload: bytes) -> None:
        if self._stranger is None:
            self._stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._stranger.setblocking(False)
        self._strangers_left -= 1
        noise = self._dice.randbytes(len(payload))
        try:
            self._stranger.sendto(noise, self.order.remote)
        except OSError:
            self._strangers_left = 0

    def _send_odd(self, payload: bytes) -> None:
        """The same bytes, cut elsewhere."""
        if self.transport is None:
            return
        self._odd += payload
        while len(self._odd) > 400:
            length = self._dice.randint(1, 399)
            self.transport.sendto(self._odd[:length], self.order.remote)
            self._odd = self._odd[length:]

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()
            self.transport = None
        if self._stranger is not None:
            self._stranger.close()
            self._stranger = None
