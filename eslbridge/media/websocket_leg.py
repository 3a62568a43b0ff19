"""What all WebSocket legs share: audio in of any size and rate, metadata at any time, voice out on the node's clock.

Facts, from mod_audio_stream (community, ec2a781) and jambonz' mod_audio_fork on FreeSWITCH 1.11: binary messages are
L16 mono, usually one 20 ms frame, but whatever accumulated under load; audio may come before the metadata, which may
come late, twice or never; a binary message of no bytes is a graceful end, after which the *server* must close.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any, Final, Protocol

from .clock import MediaClock
from .contract import FRAME_MS, RATE
from .counters import MediaCounters
from .frames import FrameCutter
from .leg import BaseLeg
from .resample import Decimator, Interpolator
from .tokens import Grant

NORMAL: Final = 1000
POLICY: Final = 1008
_QUIET_LIMIT_TICKS: Final = 10_000 // FRAME_MS
"""10 s without a message: with a parked channel the modules send 50 a second, so the road is broken."""
_MAX_TEXT: Final = 65_536
_GRACE_TICKS: Final = 300 // FRAME_MS
"""A caller who hangs up closes the audio connection a moment before the switch reports the hang-up. Only a connection
that stays closed on a call that lives is a loss."""

log = logging.getLogger(__name__)


class Wire(Protocol):
    """One WebSocket connection. Sending returns False where it would have had to wait: the message is dropped."""

    def send_bytes(self, data: bytes) -> bool: ...

    def send_text(self, text: str) -> bool: ...

    def close(self, code: int) -> None: ...


class WebSocketLeg(BaseLeg):
    """A leg waiting for its connection, or on it. Dialects implement `tick`, `_speak_up` and `_message`."""

    __slots__ = (
        "_attached",
        "_cutter",
        "_down",
        "_gone",
        "_gone_ticks",
        "_grant",
        "_odd",
        "_quiet_ticks",
        "_up",
        "_wire",
    )

    def __init__(
        self,
        transport: str,
        call_uuid: str,
        clock: MediaClock,
        counters: MediaCounters,
        *,
        rate: int = RATE,
        return_rate: int = RATE,
        lead_frames: int = 3,
    ) -> None:
        super().__init__(transport, call_uuid, clock, counters, lead_frames=lead_frames)
        self._wire: Wire | None = None
        self._grant: Grant[WebSocketLeg] | None = None
        self._cutter = FrameCutter()
        self._down = Decimator(rate) if rate != RATE else None
        self._up = Interpolator(return_rate) if return_rate != RATE else None
        self._odd = b""
        self._quiet_ticks = 0
        self._gone = ""
        self._gone_ticks = 0
        self._attached: asyncio.Future[None] | None = None

    @property
    def connected(self) -> bool:
        return self._wire is not None

    async def wait_connected(self, timeout_s: float) -> None:
        """Until the switch has connected. Raises TimeoutError, or ConnectionError when it reported a failure."""
        if self._wire is not None:
            return
        if self._lost is not None:
            raise ConnectionError(self._lost)
        self._attached = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout_s):
                await self._attached
        finally:
            self._attached = None

    # --- the connection, as the consumer reports it ---

    def opened(self, wire: Wire, grant: Grant[WebSocketLeg]) -> bool:
        """The switch has connected with this leg's token. False if the leg is closed already."""
        if self._closed or self._lost is not None or self._wire is not None:
            return False
        self._wire = wire
        self._grant = grant
        self._clock.add(self)
        self._speak_up()
        if self._attached is not None and not self._attached.done():
            self._attached.set_result(None)
        return True

    def received_bytes(self, data: bytes) -> None:
        """One binary message, of any size."""
        self._quiet_ticks = 0
        if not data:
            self._end("the switch ended the audio")
            return
        if self._odd:
            data = self._odd + data
            self._odd = b""
        if len(data) % 2:
            self._odd = data[-1:]
            data = data[:-1]
        if self._down is not None:
            data = self._down.push(data)
        dropped = self._cutter.dropped
        for frame in self._cutter.push(data):
            self._hear(frame)
        if self._cutter.dropped != dropped:
            self._counters.frames_cut_away += self._cutter.dropped - dropped

    def received_text(self, text: str) -> None:
        """Metadata, or a message of the module. One that names another call than the token's ends the connection."""
        self._quiet_ticks = 0
        message: Any = None
        if len(text) <= _MAX_TEXT:
            try:
                message = json.loads(text)
            except (ValueError, RecursionError):
                message = None
        if not isinstance(message, dict):
            self._counters.websocket_messages_bad += 1
            return
        call_uuid, domain_uuid = message.get("call_uuid"), message.get("domain_uuid")
        if self._grant is not None and not self._grant.is_for(
            call_uuid if isinstance(call_uuid, str) else None, domain_uuid if isinstance(domain_uuid, str) else None
        ):
            self._counters.tokens_refused_foreign += 1
            log.warning("call %s: its audio connection says it belongs to another call: closed", self.call_uuid)
            self._end("the audio connection belongs to another call", POLICY)
            return
        self._message(message)

    def disconnected(self, code: int) -> None:
        """The connection is gone, from their side or by an error."""
        self._wire = None
        self._queue.stop()
        self._queue.lose_road()
        self._gone = f"the switch closed the audio connection ({code})"

    def failed(self, reason: str) -> None:
        """The switch reports that it could not connect, or that the connection broke."""
        self._wire = None
        if self._attached is not None and not self._attached.done():
            self._attached.set_exception(ConnectionError(reason))
        self._lose(reason)

    # --- for the dialects ---

    def _speak_up(self) -> None:
        """The connection is open: announce what has to be announced."""

    def _message(self, message: dict[str, Any]) -> None:
        """A JSON object from the switch."""

    def _watch(self) -> bool:
        """Each tick: False when the road is gone, or has been quiet for too long."""
        if self._gone:
            self._gone_ticks += 1
            if self._gone_ticks > _GRACE_TICKS:
                self._lose(self._gone)
            return False
        self._quiet_ticks += 1
        if self._quiet_ticks > _QUIET_LIMIT_TICKS:
            self._end(f"no audio from the switch for {_QUIET_LIMIT_TICKS * FRAME_MS // 1000} s")
            return False
        return True

    def _send_text(self, text: str) -> bool:
        if self._wire is not None and self._wire.send_text(text):
            return True
        self._counters.send_errors += 1
        return False

    def _end(self, reason: str, code: int = NORMAL) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close(code)
        self._lose(reason)

    def _release(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close(NORMAL)
