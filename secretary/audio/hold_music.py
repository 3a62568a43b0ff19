"""What a caller hears while a colleague's telephone rings: music or a ring-back tone, made here, once for each process.

L16 little-endian mono 8,000 Hz. The music is our own: four broken chords, plucked, with a soft bass; it goes round
without a click. It peaks at about -12 dBFS, so that a voice that follows it is louder.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE: Final = 8000
NOTE_S: Final = 0.3
"""How long until the next note; a note itself rings on."""
LEVEL: Final = 0.25
TONE_LEVEL: Final = 0.12
_CHORDS: Final = ((60, 64, 67, 72), (57, 60, 64, 69), (65, 69, 72, 77), (67, 71, 74, 79))
"""C, A minor, F, G; MIDI note numbers."""
_ORDER: Final = (0, 1, 2, 3, 2, 1, 2, 1)
_RINGBACK: Final = {"en": ((440.0, 480.0), 2.0, 4.0), "pt-br": ((425.0,), 1.0, 4.0)}
"""Frequencies (Hz), tone and pause (s): ITU-T E.180 for the United States and Brazil."""


@cache
def music() -> bytes:
    """One round, 9.6 s: a whole number of frames of 20 ms."""
    step = int(NOTE_S * RATE)
    round_samples = step * len(_CHORDS) * len(_ORDER)
    sound = np.zeros(round_samples, np.float64)
    position = 0
    for chord in _CHORDS:
        _add(sound, position, _pluck(chord[0] - 12, 2.2) * 0.6)
        for index in _ORDER:
            _add(sound, position, _pluck(chord[index], 1.4))
            position += step
    return _pcm(sound / np.max(np.abs(sound)) * LEVEL)


@cache
def ringback(language: str) -> bytes:
    """One ring and its pause, as in the language's country."""
    frequencies, tone_s, pause_s = _RINGBACK.get(language, _RINGBACK["en"])
    times = np.arange(int(tone_s * RATE)) / RATE
    waves = np.sin(2 * np.pi * np.outer(frequencies, times))
    tone = np.mean(waves, axis=0) * TONE_LEVEL
    edge = np.linspace(0.0, 1.0, RATE // 100)
    tone[: len(edge)] *= edge
    tone[-len(edge) :] *= edge[::-1]
    return _pcm(np.concatenate([tone, np.zeros(int(pause_s * RATE))]))


def _pluck(note: int, length_s: float) -> NDArray[np.float64]:
    frequency = 440.0 * 2 ** ((note - 69) / 12)
    times = np.arange(int(length_s * RATE)) / RATE
    harmonics = ((1, 1.0), (2, 0.35), (3, 0.12))
    wave = sum(
        strength * np.sin(2 * np.pi * frequency * number * times)
        for number, strength in harmonics
        if frequency * number < RATE / 2
    )
    onset = np.minimum(times / 0.012, 1.0)
    fall = np.minimum((length_s - times) / 0.05, 1.0)
    return np.asarray(wave * onset * fall * np.exp(-3.2 * times), np.float64)


def _add(sound: NDArray[np.float64], at: int, note: NDArray[np.float64]) -> None:
    """Mix a note in; what goes beyond the end is the beginning of the next round."""
    places = (at + np.arange(len(note))) % len(sound)
    np.add.at(sound, places, note)


def _pcm(sound: NDArray[np.float64]) -> bytes:
    return (np.clip(sound, -1.0, 1.0) * 32767).astype("<i2").tobytes()
