"""Does a voice fall towards its end? Sentences do, lists and unfinished ones do not."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

FRAME: Final = 320
"""40 ms: two periods of the lowest voice."""
HOP: Final = 160
_LOWEST_HZ: Final = 70
_HIGHEST_HZ: Final = 400
_VOICED: Final = 0.5
_FALL: Final = 0.92
"""The last of the voice lies this much below what was before: one and a half semitones."""


def falls(pcm: bytes) -> bool | None:
    """Whether the pitch of the last voiced 150 ms lies clearly below that of the voice before it; None: not enough of
    a voice to tell. L16 of 8,000 Hz, the last 800 ms or so of a turn. About 0.3 ms."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float32)
    pitches = [pitch for at in range(0, len(samples) - FRAME + 1, HOP) if (pitch := _pitch(samples[at : at + FRAME]))]
    if len(pitches) < 14:
        return None
    return bool(np.median(pitches[-6:]) < _FALL * np.median(pitches[:-6]))


def _pitch(frame: NDArray[np.float32]) -> float:
    """In Hz; 0 for what is not voiced."""
    frame = frame - frame.mean()
    energy = float(np.dot(frame, frame))
    if energy < FRAME * 100.0**2:
        return 0.0
    spectrum = np.fft.rfft(frame, 2 * FRAME)
    correlation = np.fft.irfft(spectrum * np.conj(spectrum))[:FRAME]
    shortest, longest = 8_000 // _HIGHEST_HZ, 8_000 // _LOWEST_HZ
    lag = shortest + int(correlation[shortest:longest].argmax())
    return 8_000 / lag if correlation[lag] >= _VOICED * energy * (1 - lag / FRAME) else 0.0
