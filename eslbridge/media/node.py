"""All that one voice node needs for audio: the clock, the UDP socket, the ports, the tokens, the WebSocket server."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from .clock import MediaClock
from .counters import MediaCounters
from .direct_udp import UdpRoad
from .ports import PortPool
from .tokens import TokenBook
from .websocket_leg import WebSocketLeg
from .websocket_server import HttpHook, MediaApp, MediaServer

_MAX_POOLS: Final = 1024


class MediaNode:
    """Built once in a process, on its event loop. `hooks` are HTTP paths such as `/livez`.

    `advertised_host` is the address at which switches reach this node; empty takes that of the sockets, which is right
    on one host only.
    """

    def __init__(
        self,
        *,
        udp: tuple[str, int] = ("127.0.0.1", 10200),
        websocket: tuple[str, int] = ("127.0.0.1", 8085),
        advertised_host: str = "",
        hooks: Mapping[str, HttpHook] | None = None,
        counters: MediaCounters | None = None,
    ) -> None:
        self.counters = counters or MediaCounters()
        self.clock = MediaClock(self.counters)
        self.udp = UdpRoad(self.counters)
        self.tokens: TokenBook[WebSocketLeg] = TokenBook()
        self.server = MediaServer(MediaApp(self.tokens, self.counters, hooks), *websocket)
        self._udp_bind = udp
        self._advertised_host = advertised_host
        self._pools: dict[tuple[str, int, int], PortPool] = {}
        # The first hook: what callers said is judged by the next one (voice activity) in the same phase.
        self.clock.after_phase(self.udp.drain)

    async def start(self) -> None:
        """Open everything. Raises OSError when an address is taken; nothing stays open then."""
        self.udp.open(*self._udp_bind)
        try:
            await self.server.start()
        except BaseException:
            self.udp.close()
            raise
        self.clock.start()

    async def stop(self) -> None:
        """Close everything. The calls' own ends come first: legs still open are simply cut. Idempotent."""
        self.clock.stop()
        await self.server.stop()
        self.udp.close()

    def udp_address(self, host: str = "") -> tuple[str, int]:
        """Where a switch sends datagrams; `host` is the tenant's own name for this node, if it has one."""
        bound, port = self.udp.address
        return host or self._advertised_host or bound, port

    def websocket_url(self, token: str, host: str = "") -> str:
        """Where a switch connects for one call."""
        bound, port = self.server.address
        return f"ws://{host or self._advertised_host or bound}:{port}/media/{token}"

    def ports(self, switch_host: str, first: int, last: int) -> PortPool:
        """The ports of one switch. Domains with the same switch and range share them."""
        key = (switch_host, first, last)
        pool = self._pools.get(key)
        if pool is None:
            if len(self._pools) >= _MAX_POOLS:
                idle = next((old for old, unused in self._pools.items() if not unused.used), None)
                if idle is not None:
                    del self._pools[idle]
            pool = self._pools[key] = PortPool(first, last)
        return pool

    @staticmethod
    def now() -> float:
        """Seconds, monotonic: the time base of ports and tokens."""
        return time.monotonic()
