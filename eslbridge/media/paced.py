"""WebSocket legs whose far end plays what arrives: voice is sent by the clock, 60 ms ahead of the ear and no more.

Three dialects differ only in how a frame is written and how the far end is told to forget:

* binary: streaming builds of mod_audio_stream. One announcement, then L16 as binary messages. Nothing known makes them
  forget, so stopping is to stop sending: 60 ms at most are still heard.
* json: forks that play `streamAudio` pieces from a buffer and obey `stopAudio`.
* fork: jambonz' build of mod_audio_fork, see `audio_fork.py`.
"""

from __future__ import annotations

from binascii import b2a_base64
from typing import Final

from .clock import MediaClock
from .contract import RATE
from .counters import MediaCounters
from .playqueue import MAX_LEAD_FRAMES
from .websocket_leg import WebSocketLeg


class PacedLeg(WebSocketLeg):
    """Sends a frame for each that was heard, so that the road always holds `lead_frames` while there is voice."""

    __slots__ = ()

    def tick(self) -> None:
        if not self._watch():
            return
        queue = self._queue
        if not queue.active:
            return
        if queue.tick():
            self._drained()
            if self._closed:
                return
        counters = self._counters
        while queue.has_room_on_road():
            frame = queue.take()
            if frame is None:
                return
            if self._up is not None:
                frame = self._up.push(frame)
            if self._send(frame):
                counters.frames_out += 1
                counters.voice_frames_out += 1
            else:
                counters.send_errors += 1

    def _send(self, frame: bytes) -> bool:
        return self._wire is not None and self._wire.send_bytes(frame)


class BinaryLeg(PacedLeg):
    """mod_audio_stream builds that play binary messages after a `rawAudio` announcement."""

    __slots__ = ("_return_rate",)

    def __init__(
        self,
        call_uuid: str,
        clock: MediaClock,
        counters: MediaCounters,
        *,
        rate: int = RATE,
        return_rate: int = RATE,
        lead_frames: int = MAX_LEAD_FRAMES,
    ) -> None:
        super().__init__(
            "mod-audio-stream-binary",
            call_uuid,
            clock,
            counters,
            rate=rate,
            return_rate=return_rate,
            lead_frames=lead_frames,
        )
        self._return_rate = return_rate

    def _speak_up(self) -> None:
        self._send_text(f'{{"type":"rawAudio","data":{{"sampleRate":{self._return_rate}}}}}')


_STOP_AUDIO: Final = '{"type":"stopAudio"}'


class JsonLeg(PacedLeg):
    """Forks of mod_audio_stream that play raw `streamAudio` pieces at once and forget on `stopAudio`."""

    __slots__ = ("_head",)

    def __init__(
        self,
        call_uuid: str,
        clock: MediaClock,
        counters: MediaCounters,
        *,
        rate: int = RATE,
        return_rate: int = RATE,
        lead_frames: int = MAX_LEAD_FRAMES,
    ) -> None:
        super().__init__(
            "mod-audio-stream-json",
            call_uuid,
            clock,
            counters,
            rate=rate,
            return_rate=return_rate,
            lead_frames=lead_frames,
        )
        self._head = f'{{"type":"streamAudio","data":{{"audioDataType":"raw","sampleRate":{return_rate},"audioData":"'

    def _send(self, frame: bytes) -> bool:
        text = f'{self._head}{b2a_base64(frame, newline=False).decode("ascii")}"}}}}'
        return self._wire is not None and self._wire.send_text(text)

    def stop(self) -> None:
        if self._queue.active:
            self._queue.stop()
            if self._send_text(_STOP_AUDIO):
                self._queue.lose_road()
