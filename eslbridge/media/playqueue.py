"""The voice waiting to be heard on one leg: cut into frames, turned down or off, and accounted for to the byte.

Voice is in one of three places: queued, on the road (given to the transport, not yet played out), or heard. A tick of
20 ms moves one frame's worth from the road into the ear, so the account follows the clock and not the socket. A leg
keeps `lead_frames` on the road: one for a transport that FreeSWITCH plays as it arrives, three for one that buffers.

Pieces are kept as they were given, without copying: a prompt that a hundred calls play exists once.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

from .contract import BYTES_PER_MS, FRAME_BYTES, FRAME_MS, FRAME_SAMPLES, MAX_LEAD_MS, MAX_QUEUED_MS

MAX_LEAD_FRAMES: Final = MAX_LEAD_MS // FRAME_MS
_MOST_ON_ROAD_FRAMES: Final = 10
"""More than MAX_LEAD_FRAMES only for a far end that forgets at once when told to: see `audio_fork.py`."""
_MAX_QUEUED_BYTES: Final = MAX_QUEUED_MS * BYTES_PER_MS
_RAMP: Final = np.linspace(0.0, 1.0, FRAME_SAMPLES, dtype=np.float32)
_FADE_OUT: Final = np.concatenate((np.linspace(1.0, 0.0, FRAME_SAMPLES // 2), np.zeros(FRAME_SAMPLES // 2)))
"""10 ms from full to nothing: a voice cut off in mid-swing clicks."""
_FADE_BYTES: Final = FRAME_BYTES // 2


class PlayQueue:
    """Pure: no clock, no socket. All amounts inside are bytes of L16 at 8,000 Hz."""

    __slots__ = (
        "_chunks",
        "_gain",
        "_heard",
        "_offset",
        "_queued",
        "_road",
        "_stopped",
        "_tail",
        "_target",
        "lead_frames",
    )

    def __init__(self, lead_frames: int = 1) -> None:
        if not 1 <= lead_frames <= _MOST_ON_ROAD_FRAMES:
            raise ValueError(f"a leg may lead by 1 to {_MOST_ON_ROAD_FRAMES} frames, not {lead_frames}")
        self.lead_frames = lead_frames
        self._chunks: deque[bytes] = deque()
        self._offset = 0
        self._queued = 0
        self._road = 0
        self._heard = 0
        self._gain = 1.0
        self._target = 1.0
        self._stopped = False
        self._tail: tuple[bytes, int] | None = None

    @property
    def heard_ms(self) -> int:
        return self._heard // BYTES_PER_MS

    @property
    def queued_ms(self) -> int:
        # The difference of two roundings, so that heard_ms + queued_ms is exact.
        return (self._heard + self._road + self._queued) // BYTES_PER_MS - self._heard // BYTES_PER_MS

    @property
    def active(self) -> bool:
        """Voice is queued or on the road."""
        return bool(self._queued or self._road)

    @property
    def road_ms(self) -> int:
        """Voice given to the transport and not yet heard."""
        return self._road // BYTES_PER_MS

    def play(self, pcm: bytes) -> int:
        """Queue L16; returns the bytes accepted (see `AudioLeg.play`). Raises ValueError for half a sample."""
        if len(pcm) % 2:
            raise ValueError("voice must be whole samples of 16 bit")
        room = _MAX_QUEUED_BYTES - self._queued - self._road
        if len(pcm) > room:
            pcm = pcm[: max(room, 0)]
        if not pcm:
            return 0
        self._stopped = False
        if not self.active:
            self._gain = self._target  # a voice that begins anew does not fade in from where the last one was cut
        last = self._chunks[-1] if self._chunks else b""
        if last and len(pcm) < FRAME_BYTES and len(last) < 10 * FRAME_BYTES:
            # Crumbs are put together, so that many tiny pieces do not make a long list.
            self._chunks[-1] = last + pcm
        else:
            self._chunks.append(bytes(pcm))
        self._queued += len(pcm)
        return len(pcm)

    def tick(self) -> bool:
        """20 ms passed at the caller's ear. True when this was the end of all queued voice, and not by `stop`."""
        road = self._road
        if not road:
            return False
        step = road if road < FRAME_BYTES else FRAME_BYTES
        self._heard += step
        self._road = road = road - step
        return not (road or self._queued or self._stopped)

    def take(self) -> bytes | None:
        """The next frame for the road, padded with silence at the end of the voice; None when there is none."""
        if self._tail is not None:
            frame, voice = self._tail
            self._tail = None
        else:
            if not self._queued:
                return None
            frame = self._cut()
            voice = len(frame)
            if voice < FRAME_BYTES:
                frame += bytes(FRAME_BYTES - voice)
            if self._gain != 1.0 or self._target != 1.0:
                frame = self._at_gain(frame)
        self._queued -= voice
        self._road += voice
        return frame

    def has_room_on_road(self) -> bool:
        """Fewer than `lead_frames` are on the road, and there is something to send."""
        return self._queued > 0 and self._road <= (self.lead_frames - 1) * FRAME_BYTES

    def take_piece(self, limit_ms: int) -> bytes:
        """Queued voice up to this length in one piece, for a transport that plays whole files. Moves to the road.

        The gain is the present one for the whole piece.
        """
        limit = limit_ms * BYTES_PER_MS
        parts: list[bytes] = []
        size = 0
        while self._chunks and size < limit:
            part = self._chunks[0][self._offset : self._offset + limit - size]
            parts.append(part)
            size += len(part)
            if self._offset + len(part) < len(self._chunks[0]):
                self._offset += len(part)
            else:
                self._chunks.popleft()
                self._offset = 0
        piece = b"".join(parts)
        self._gain = self._target
        if self._gain != 1.0 and piece:
            piece = (np.frombuffer(piece, "<i2") * np.float32(self._gain)).astype("<i2").tobytes()
        self._queued -= size
        self._road += size
        return piece

    def hear(self, amount: int) -> None:
        """The transport says that this many bytes of the road have been heard."""
        step = min(max(amount, 0), self._road)
        self._heard += step
        self._road -= step

    def lose_road(self) -> None:
        """The far end has forgotten what was on the road: it is not heard."""
        self._road = 0

    def stop(self, *, fade: bool = False) -> None:
        """Forget what is queued. With `fade` one more frame leaves, in which the voice sinks to nothing in 10 ms."""
        tail = None
        room = MAX_LEAD_FRAMES * FRAME_BYTES - self._road >= _FADE_BYTES
        if fade and self._queued and self._road and room and self._tail is None:
            frame = self._cut()
            voice = len(frame)
            if self._gain != 1.0:
                frame = self._at_gain(frame + bytes(FRAME_BYTES - voice))
            samples = np.frombuffer(frame, "<i2", count=voice // 2)
            faded = (samples * _FADE_OUT[: len(samples)]).astype("<i2").tobytes()
            tail = (faded + bytes(FRAME_BYTES - len(faded)), min(voice, _FADE_BYTES))
        self._forget()
        self._stopped = True
        if tail is not None:
            self._tail = tail
            self._queued = tail[1]

    def duck(self, gain: float) -> None:
        """Go to this gain within the next frame. Raises ValueError outside 0..1."""
        if not 0.0 <= gain <= 1.0:
            raise ValueError(f"a gain lies between 0 and 1, not at {gain}")
        self._target = gain
        if not self.active:
            self._gain = gain

    def _forget(self) -> None:
        self._chunks.clear()
        self._offset = self._queued = 0
        self._tail = None

    def _cut(self) -> bytes:
        """Up to one frame from the front, without touching the account."""
        chunk = self._chunks[0]
        end = self._offset + FRAME_BYTES
        frame = chunk[self._offset : end]
        if end < len(chunk):
            self._offset = end
            return frame
        self._chunks.popleft()
        self._offset = 0
        while len(frame) < FRAME_BYTES and self._chunks:
            chunk = self._chunks[0]
            want = FRAME_BYTES - len(frame)
            frame += chunk[:want]
            if want < len(chunk):
                self._offset = want
            else:
                self._chunks.popleft()
        return frame

    def _at_gain(self, frame: bytes) -> bytes:
        gain: np.ndarray[tuple[int], np.dtype[np.float32]] | np.float32
        if self._gain == self._target:
            gain = np.float32(self._gain)
        else:
            gain = np.float32(self._gain) + _RAMP * np.float32(self._target - self._gain)
            self._gain = self._target
        return (np.frombuffer(frame, "<i2") * gain).astype("<i2").tobytes()
