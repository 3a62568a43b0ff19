"""What every audio leg has in common: a listener, a play queue, and an end that is told once."""

from __future__ import annotations

import logging
from collections.abc import Callable

from .clock import MediaClock
from .contract import LegListener
from .counters import MediaCounters
from .playqueue import PlayQueue

log = logging.getLogger(__name__)


class BaseLeg:
    """The transport-independent half of `AudioLeg`. A transport calls `_hear`, implements `tick` and `_release`."""

    __slots__ = (
        "_after_close",
        "_clock",
        "_closed",
        "_counters",
        "_listener",
        "_lost",
        "_queue",
        "call_uuid",
        "transport",
    )

    def __init__(
        self, transport: str, call_uuid: str, clock: MediaClock, counters: MediaCounters, *, lead_frames: int = 1
    ) -> None:
        self.transport = transport
        self.call_uuid = call_uuid
        self._clock = clock
        self._counters = counters
        self._queue = PlayQueue(lead_frames)
        self._listener: LegListener | None = None
        self._closed = False
        self._lost: str | None = None
        self._after_close: Callable[[], None] | None = None
        counters.legs_opened += 1

    @property
    def heard_ms(self) -> int:
        return self._queue.heard_ms

    @property
    def queued_ms(self) -> int:
        return self._queue.queued_ms

    @property
    def closed(self) -> bool:
        return self._closed

    def listen(self, listener: LegListener) -> None:
        self._listener = listener
        if self._lost is not None:
            # It broke before anybody listened: the conversation must not wait for a leg that is gone.
            listener.on_lost(self._lost)

    def play(self, pcm: bytes) -> int:
        if self._closed or self._lost is not None:
            return 0
        accepted = self._queue.play(pcm)
        if accepted < len(pcm):
            self._counters.voice_refused_bytes += len(pcm) - accepted
        return accepted

    def stop(self) -> None:
        self._queue.stop()

    def hold(self) -> None:
        """Without voice a WebSocket carries nothing to the switch anyway."""
        self.stop()

    def duck(self, gain: float) -> None:
        self._queue.duck(gain)

    def on_close(self, callback: Callable[[], None]) -> None:
        """Call this once when the leg is closed: to give back a port, a token, a place."""
        self._after_close = callback

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._listener = None
        self._clock.remove(self)
        self._release()
        if self._after_close is not None:
            self._after_close()
            self._after_close = None

    def tick(self) -> None:
        """20 ms passed: send what is due."""
        raise NotImplementedError

    def broke(self, reason: str) -> None:
        self._lose(reason)

    def _release(self) -> None:
        """Let go of the transport."""

    def _hear(self, frame: bytes) -> None:
        """Hand one caller frame on. An exception of the listener ends this leg and no other."""
        listener = self._listener
        if listener is None:
            self._counters.frames_unheard += 1
            return
        self._counters.frames_in += 1
        try:
            listener.on_frame(frame)
        except Exception:
            self._counters.listener_errors += 1
            log.exception("call %s: the listener failed on a caller's frame", self.call_uuid)
            self._lose("internal error in the conversation")

    def _drained(self) -> None:
        if self._listener is not None and self._lost is None:
            self._listener.on_drained()

    def _lose(self, reason: str) -> None:
        """The audio road broke. Said once, also to a listener that comes later."""
        if self._closed or self._lost is not None:
            return
        self._lost = reason
        self._counters.legs_lost += 1
        self._clock.remove(self)
        log.warning("call %s: audio lost on %s: %s", self.call_uuid, self.transport, reason)
        if self._listener is not None:
            try:
                self._listener.on_lost(reason)
            except Exception:
                self._counters.listener_errors += 1
                log.exception("call %s: the listener failed on the loss of its audio", self.call_uuid)
