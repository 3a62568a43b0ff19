"""The caller's audio around the present turn: enough before its onset, never more than a bound."""

from __future__ import annotations

from collections import deque

from eslbridge.media.contract import FRAME_MS

BEFORE_ONSET_MS = 300
"""What a recogniser needs before the first sound, so that no consonant is lost."""
DECISION_MS = 200
"""How long after its onset a turn may be decided at the latest; those frames are already in the past."""
LONGEST_TURN_MS = 30_000
"""A turn's audio kept for the provider; the beginning of a longer one is dropped, its end is what matters."""


class Ear:
    """Collects frames of L16 8,000 Hz. Constant memory between turns, at most LONGEST_TURN_MS within one."""

    def __init__(self) -> None:
        self._past: deque[bytes] = deque(maxlen=(BEFORE_ONSET_MS + DECISION_MS) // FRAME_MS)
        self._turn: deque[bytes] = deque(maxlen=LONGEST_TURN_MS // FRAME_MS)
        self.add = self._past.append
        """Take one frame: a plain append, because it runs 50 times a second for each call."""

    def begin(self) -> None:
        """A turn began a moment ago: keep everything from before its onset on."""
        self._turn.extend(self._past)
        self._past.clear()
        self.add = self._turn.append

    def recent(self, ms: int) -> bytes:
        """The last `ms` of what was heard, at most what is kept between turns."""
        count, turn = ms // FRAME_MS, self._turn
        frames = [turn[n] for n in range(max(len(turn) - count, 0), len(turn))]
        if len(frames) < count and self._past:
            frames = [*list(self._past)[len(frames) - count :], *frames]
        return b"".join(frames)

    def end(self) -> bytes:
        """The turn is over: its audio, and back to remembering only the last moment."""
        pcm = b"".join(self._turn)
        self._turn.clear()
        self.add = self._past.append
        return pcm
