"""Telephone sounds at 8,000 Hz, made here: tones and noise by formula, words by a formant voice of a few lines.

The voice is crude (a pulse train through resonators that move from vowel to vowel), but Silero takes it for speech,
which a test of turns needs and a beep cannot give.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

I16 = NDArray[np.int16]
VOWELS = {
    "a": (750, 1200, 2500),
    "e": (500, 1850, 2500),
    "i": (300, 2250, 3000),
    "o": (500, 900, 2500),
    "u": (320, 800, 2300),
}


def silence(ms: int) -> I16:
    return np.zeros(ms * 8, dtype=np.int16)


def tone(*hz: float, ms: int, peak: float = 5000) -> I16:
    n = np.arange(ms * 8)
    return sum(peak * np.sin(2 * np.pi * f * n / 8000) for f in hz).astype(np.int16)


def noise(ms: int, rms: float, seed: int = 1) -> I16:
    return np.clip(np.random.default_rng(seed).normal(0, rms, ms * 8), -32768, 32767).astype(np.int16)


def dtmf(times: int = 20) -> I16:
    keys = [(697, 1209), (770, 1336), (852, 1477), (941, 1336), (697, 1477)]
    return np.concatenate([part for n in range(times) for part in (tone(*keys[n % 5], ms=150), silence(100))])


def ringback(times: int = 3) -> I16:
    return np.concatenate([part for _ in range(times) for part in (tone(440, 480, ms=2000), silence(4000))])


def spoken(word: str = "aoie", ms: int = 160, pitch: float = 120, level: float = 0.3) -> I16:
    """Each letter a vowel of `ms`, with a gliding pitch, formants that move and a breath of noise."""
    rng = np.random.default_rng(3)
    size = len(word) * ms * 8
    at = np.linspace(0, len(word) - 1, size)
    tracks = np.array([np.interp(at, range(len(word)), [VOWELS[v][k] for v in word]) for k in range(3)])
    f0 = pitch * (1.1 - 0.25 * np.arange(size) / size) * (1 + 0.02 * np.sin(2 * np.pi * 5 * np.arange(size) / 8000))
    phase = np.cumsum(f0 / 8000)
    source = np.where(np.diff(np.floor(phase), prepend=0) > 0, 1.0, 0.0) + rng.normal(0, 0.01, size)
    out = np.zeros(size)
    for track, width, gain in zip(tracks, (80, 100, 150), (1.0, 0.6, 0.3), strict=True):
        radius = np.exp(-np.pi * width / 8000)
        y1 = y2 = 0.0
        for n in range(size):
            y = source[n] + 2 * radius * np.cos(2 * np.pi * track[n] / 8000) * y1 - radius * radius * y2
            y1, y2 = y, y1
            out[n] += gain * y
    envelope = np.abs(np.sin(np.pi * np.clip((np.arange(size) % (ms * 8)) / (ms * 8) * 0.8 + 0.1, 0, 1))) ** 0.5
    out *= envelope
    return (out / np.abs(out).max() * 32767 * level).astype(np.int16)
