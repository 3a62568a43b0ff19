"""What a line sounds like when nobody is there: music on hold, an announcement tone, a radio."""

from __future__ import annotations

from typing import Final

from .turns import WINDOW_MS

MUSIC_MS: Final = 15_000
"""Sound without a pause for so long, most of it no speech."""
_PAUSE_MS: Final = 256
_MOSTLY: Final = 0.35


class LineWatch:
    """Counts windows; constant memory. People pause, even on a noisy line; music on hold does not."""

    __slots__ = ("_quiet_ms", "_sound_ms", "_speech_ms")

    def __init__(self) -> None:
        self._sound_ms = self._speech_ms = self._quiet_ms = 0

    def update(self, probability: float) -> bool:
        """Take one window in which the secretary is silent; True when it is time to say that this is music.

        A probability of exactly 0 means that the window was not even loud enough to be judged.
        """
        if probability <= 0.0:
            self._quiet_ms += WINDOW_MS
            if self._quiet_ms >= _PAUSE_MS:
                self._sound_ms = self._speech_ms = 0
            return False
        self._quiet_ms = 0
        self._sound_ms += WINDOW_MS
        self._speech_ms += WINDOW_MS if probability >= 0.5 else 0
        if self._sound_ms < MUSIC_MS:
            return False
        music = self._speech_ms < _MOSTLY * self._sound_ms
        self._sound_ms = self._speech_ms = 0
        return music
