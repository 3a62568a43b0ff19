"""The secretary's voice as sound, around the ear: what was just heard, and what is still to come.

Pieces are kept by reference, as the provider gave them, on the scale of heard voice (`AudioLeg.heard_ms`). What was
heard longer ago than an echo may take is forgotten.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from eslbridge.media.contract import BYTES_PER_MS

BEHIND_MS: Final = 1_000
"""How much of what was heard is kept: for echoes, and to go on a little before where a voice was stopped."""


class Sound:
    """Pieces of L16 in order; positions in ms of heard voice."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[int, memoryview]] = deque()

    def add(self, start_ms: int, pcm: bytes) -> None:
        """What will be heard from `start_ms` on."""
        if pcm:
            self._pieces.append((start_ms, memoryview(pcm)))

    def forget(self, heard_ms: int) -> None:
        """What was heard long before `heard_ms` is not needed any more."""
        pieces, limit = self._pieces, heard_ms - BEHIND_MS
        while pieces and pieces[0][0] + len(pieces[0][1]) // BYTES_PER_MS <= limit:
            pieces.popleft()

    def between(self, from_ms: int, to_ms: int) -> list[memoryview]:
        """What lies between two positions, without copying; a gap is left out."""
        parts = []
        for start, pcm in self._pieces:
            begin, end = (from_ms - start) * BYTES_PER_MS, (to_ms - start) * BYTES_PER_MS
            if end > 0 and begin < len(pcm):
                parts.append(pcm[max(begin, 0) : end])
        return parts

    def take_from(self, position_ms: int) -> list[memoryview]:
        """Everything from here on, which is no longer going to be heard there."""
        rest = self.between(position_ms, position_ms + 10**8)
        kept = deque(piece for piece in self._pieces if piece[0] < position_ms)
        if kept:
            start, pcm = kept[-1]
            kept[-1] = (start, pcm[: (position_ms - start) * BYTES_PER_MS])
        self._pieces = kept
        return rest
