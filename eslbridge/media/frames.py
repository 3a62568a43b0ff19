"""Cutting what a transport brings, of whatever size, into frames of 20 ms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .contract import FRAME_BYTES

SILENCE: Final = bytes(FRAME_BYTES)
"""One frame of digital silence."""
MAX_FRAMES_AT_ONCE: Final = 150
"""3 s: more audio than this in one message is a flood or an error, and its oldest part is dropped."""


class FrameCutter:
    """Bytes of L16 in pieces of any size, even odd ones, to whole frames in order; at most one frame is held back."""

    __slots__ = ("dropped", "holds")

    def __init__(self) -> None:
        self.holds = b""
        """The beginning of a frame whose rest has not come yet."""
        self.dropped = 0
        """Frames dropped since the beginning because one piece was longer than MAX_FRAMES_AT_ONCE."""

    def push(self, data: bytes) -> Sequence[bytes]:
        if not self.holds:
            if len(data) == FRAME_BYTES:
                return (data,)
        else:
            data = self.holds + data
        count, rest = divmod(len(data), FRAME_BYTES)
        self.holds = data[len(data) - rest :] if rest else b""
        first = 0
        if count > MAX_FRAMES_AT_ONCE:
            first = count - MAX_FRAMES_AT_ONCE
            self.dropped += first
        return [data[at : at + FRAME_BYTES] for at in range(first * FRAME_BYTES, count * FRAME_BYTES, FRAME_BYTES)]
