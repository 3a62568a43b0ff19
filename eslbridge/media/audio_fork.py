"""mod_audio_fork in jambonz' build: L16 back as binary messages, `killAudio`, and marks that report what was played.

Facts, from its source and live on FreeSWITCH 1.11:

* Started with all ten arguments, it mixes binary L16 at the return rate onto the channel. lws_glue.cpp hands audio on
  only in lots of 1,280 samples at 8,000 Hz (`streamingPreBufSize`; 160 ms), and puts an odd byte by for the next
  message.
* So a lead of 60 ms would never begin to play. This leg keeps 120 to 200 ms on the road (the module passes a lot on
  with the next one when its lock is taken: one lot is to spare), and still stops at once, because `killAudio` empties
  the buffer within one frame. The last lot of an utterance is filled up with silence.
* A mark returns as `playout` when the audio before it has been played, or as `cleared` after killAudio; at most 30
  may be outstanding. One mark closes each utterance, and what it says counts more than the clock.
* On a parked channel nothing is played, and no mark returns, unless something writes: the dialplan sets
  `send_silence_when_idle`, or `attach_leg` plays silence. killAudio also breaks whatever application plays on the
  channel, that silence too: it is played again.
* `playAudio` without `audioContentType` crashes FreeSWITCH: never sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .clock import MediaClock
from .contract import FRAME_BYTES, FRAME_MS, RATE
from .counters import MediaCounters
from .frames import SILENCE
from .websocket_leg import WebSocketLeg

SUBPROTOCOL: Final = "audio.drachtio.org"
LOT_FRAMES: Final = 4
"""80 ms: what the module hands on at once. Whole lots leave nothing in its first buffer, which killAudio does not
empty."""
_DUE_MS: Final = 120
"""With this much on the road, or less, the next lot leaves."""
_PATIENCE_TICKS: Final = 2
"""How long to wait for the rest of a lot while the provider may still be sending."""
_MARK_PATIENCE_TICKS: Final = 500 // FRAME_MS
"""How much later than the clock a mark may come before the clock is believed."""
_FORGETTING_TICKS: Final = 3
"""killAudio is a flag that the next frame played looks at; a lot that arrives before that would be forgotten as
well."""
_KILL_AUDIO: Final = '{"type":"killAudio"}'


class ForkLeg(WebSocketLeg):
    """One call over mod_audio_fork, both ways."""

    __slots__ = ("_after_kill", "_hold", "_marks", "_primed", "_since_end", "_since_play", "_waiting_mark")

    def __init__(
        self,
        call_uuid: str,
        clock: MediaClock,
        counters: MediaCounters,
        *,
        rate: int = RATE,
        return_rate: int = RATE,
    ) -> None:
        super().__init__(
            "mod-audio-fork",
            call_uuid,
            clock,
            counters,
            rate=rate,
            return_rate=return_rate,
            lead_frames=_DUE_MS // FRAME_MS + LOT_FRAMES,
        )
        self._after_kill: Callable[[], None] | None = None
        self._primed = False
        self._hold = 0
        self._since_play = 0
        self._since_end = 0
        self._marks = 0
        self._waiting_mark = ""

    def after_kill(self, callback: Callable[[], None]) -> None:
        """Call this after each killAudio."""
        self._after_kill = callback

    def play(self, pcm: bytes) -> int:
        self._since_play = 0
        self._waiting_mark = ""
        return super().play(pcm)

    def stop(self) -> None:
        queue = self._queue
        if queue.active or self._waiting_mark:
            self._waiting_mark = ""
            queue.stop()
            if self._send_text(_KILL_AUDIO):
                queue.lose_road()
                self._hold = _FORGETTING_TICKS
                if self._after_kill is not None:
                    self._after_kill()

    def tick(self) -> None:
        if not self._watch():
            return
        queue = self._queue
        self._since_play += 1
        if self._hold:
            self._hold -= 1
            return
        if queue.active:
            if queue.tick():
                self._since_end = 0
                if not self._waiting_mark:
                    self._drained()
                    return
            while self._lot_is_due():
                self._send_lot()
        elif self._waiting_mark:
            self._since_end += 1
            if self._since_end > _MARK_PATIENCE_TICKS:
                self._waiting_mark = ""
                self._drained()

    def _lot_is_due(self) -> bool:
        queue = self._queue
        waiting_ms = queue.queued_ms - queue.road_ms
        if waiting_ms <= 0 or queue.road_ms > _DUE_MS:
            return False
        return waiting_ms >= LOT_FRAMES * FRAME_MS or self._since_play > _PATIENCE_TICKS

    def _send_lot(self) -> None:
        queue, counters = self._queue, self._counters
        frames = [queue.take() or SILENCE for _ in range(LOT_FRAMES)]
        is_last = queue.queued_ms == queue.road_ms
        if is_last and not self._primed:
            # The module's very first lot must be twice as long, or it keeps it to itself.
            frames += [SILENCE] * LOT_FRAMES
        self._primed = True
        lot = b"".join(frames)
        if self._up is not None:
            lot = self._up.push(lot)
        if self._wire is None or not self._wire.send_bytes(lot):
            counters.send_errors += len(frames)
            return
        counters.frames_out += len(frames)
        counters.voice_frames_out += min(LOT_FRAMES, -(-queue.road_ms // FRAME_MS))
        if is_last:
            self._marks += 1
            self._waiting_mark = f"m{self._marks}"
            self._send_text(f'{{"type":"mark","data":{{"name":"{self._waiting_mark}"}}}}')

    def _message(self, message: dict[str, Any]) -> None:
        data = message.get("data")
        if message.get("type") != "mark" or not isinstance(data, dict):
            return
        if data.get("event") == "playout" and self._waiting_mark and data.get("name") == self._waiting_mark:
            # Played to its end, whatever our clock thinks.
            self._waiting_mark = ""
            queue = self._queue
            if queue.queued_ms == queue.road_ms:
                queue.hear(queue.road_ms * (FRAME_BYTES // FRAME_MS) + FRAME_BYTES)
                self._drained()
