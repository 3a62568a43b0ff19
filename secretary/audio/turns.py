"""From probabilities of speech to turns: when the caller began, and when the caller has finished.

Pure; one for each call; time is passed in (ms, on any clock that the conversation uses). A probability covers
WINDOW_MS of audio, just ended when `update` is called.

Beginning: speech fills a bucket of `start_ms`, the faster the surer the model is, and anything else empties it
slowly. So a doubtful window inside the first word does not start the count again, a soft consonant counts for
something, and clicks, coughs, key tones and noise never fill it: the window that makes it full must be speech itself.
Measured on 480 telephone clips of four synthetic voices, onset by energy: told after 94 ms (median) and 192 ms (p90);
three equal windows in a row take 122 and 230 ms. The onset told is where the bucket began to fill.

End: the caller has been quiet for `pause_ms`; quiet is a lower bar than speech, because words end softly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

WINDOW_MS: Final = 32
_SURE: Final = 0.8
_PERHAPS: Final = 0.25
_LEAK_MS: Final = 16


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller speaks, and has since `onset_ms`."""

    onset_ms: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The caller has finished; the last sound ended at `last_sound_ms`."""

    last_sound_ms: int


class TurnDetector:
    """Hysteresis over probabilities. `pause_ms` and `start_ms` may be changed at any time."""

    PAUSE_MS: ClassVar[int] = 700
    """Quiet that ends a turn."""
    START_MS: ClassVar[int] = 96
    """Speech that proves a turn: three windows that are speech, or two that surely are."""

    __slots__ = ("_filled_ms", "_last_sound_ms", "_onset_ms", "off", "on", "pause_ms", "speaking", "start_ms")

    def __init__(
        self, *, start_ms: int = START_MS, pause_ms: int = PAUSE_MS, on: float = 0.5, off: float = 0.35
    ) -> None:
        if not 0.0 < off <= on < 1.0:
            raise ValueError(f"0 < off <= on < 1 must hold, not off={off}, on={on}")
        self.start_ms = start_ms
        self.pause_ms = pause_ms
        self.on = on
        self.off = off
        self.speaking = False
        self._filled_ms = 0
        self._onset_ms = 0
        self._last_sound_ms = 0

    def update(self, probability: float, now_ms: int) -> SpeechStarted | SpeechEnded | None:
        """Take the judgement of one window; None when nothing changed."""
        if self.speaking:
            if probability >= self.off:
                self._last_sound_ms = now_ms
            elif now_ms - self._last_sound_ms >= self.pause_ms:
                self.speaking = False
                self._filled_ms = 0
                return SpeechEnded(self._last_sound_ms)
            return None
        if probability < _PERHAPS:
            self._filled_ms = max(self._filled_ms - _LEAK_MS, 0)
            return None
        if not self._filled_ms:
            self._onset_ms = now_ms - WINDOW_MS
        is_speech = probability >= self.on
        if probability >= _SURE:
            self._filled_ms += 2 * WINDOW_MS
        else:
            self._filled_ms += WINDOW_MS if is_speech else WINDOW_MS // 2
        if self._filled_ms >= self.start_ms:
            if is_speech:
                self.speaking = True
                self._last_sound_ms = now_ms
                return SpeechStarted(self._onset_ms)
            # Doubtful windows alone prove nothing, however many they are.
            self._filled_ms = self.start_ms - 1
        return None
