"""What stands between audio that arrives and the ear: a telephone's jitter buffer, one frame deep."""

from __future__ import annotations

from collections import deque

from eslbridge.simulator.audio import FRAME_BYTES

MAX_FRAMES = 12
"""A burst longer than this loses its oldest frames, as a telephone's buffer would."""


class Playout:
    """Frames in at any moment, one out each 20 ms. Starts when two wait, or when one has waited for a turn."""

    def __init__(self) -> None:
        self.frames: deque[bytes] = deque()
        self.received = 0
        self.dropped = 0
        self.gaps = 0
        """Times the buffer ran dry while frames were flowing."""
        self._flowing = False
        self._waited = False

    def push(self, audio: bytes) -> None:
        """One arrival of any length; cut into frames, the last one padded."""
        for start in range(0, len(audio), FRAME_BYTES):
            self.received += 1
            self.frames.append(audio[start : start + FRAME_BYTES].ljust(FRAME_BYTES, b"\0"))
        while len(self.frames) > MAX_FRAMES:
            self.frames.popleft()
            self.dropped += 1

    def pop(self) -> bytes | None:
        """The frame for this turn, or None for silence."""
        frames = self.frames
        if self._flowing:
            if frames:
                return frames.popleft()
            self._flowing = self._waited = False
            self.gaps += 1
            return None
        if len(frames) >= 2 or (frames and self._waited):
            self._flowing = True
            return frames.popleft()
        self._waited = bool(frames)
        return None

    def clear(self) -> None:
        self.frames.clear()
        self._flowing = self._waited = False
