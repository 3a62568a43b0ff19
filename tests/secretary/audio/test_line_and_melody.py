"""What a line sounds like, and whether a voice has come to its end."""

from __future__ import annotations

import numpy as np
import pytest

from secretary.audio.line import MUSIC_MS, LineWatch
from secretary.audio.melody import falls

from . import sounds


def verdicts(probabilities) -> int:
    watch = LineWatch()
    return sum(watch.update(probability) for probability in probabilities)


def test_sound_without_a_pause_that_is_no_speech_is_music():
    """Told once for each stretch, and not before it is long enough."""
    windows = MUSIC_MS // 32 + 1
    assert verdicts([0.05] * (windows - 2)) == 0
    assert verdicts([0.05] * windows) == 1
    assert verdicts(([0.05] * 4 + [0.7]) * (windows // 5 + 1)) == 1  # with somebody singing now and then


@pytest.mark.parametrize(
    "probabilities",
    [
        pytest.param([0.0] * 2_000, id="silence"),
        pytest.param(([0.05] * 100 + [0.0] * 10) * 20, id="noise with pauses"),
        pytest.param(([0.9] * 6 + [0.1] * 4) * 200, id="somebody who speaks"),
    ],
)
def test_people_and_silence_are_no_music(probabilities):
    """Who pauses, or speaks, is somebody."""
    assert verdicts(probabilities) == 0


def glide(begin_hz: float, end_hz: float, ms: int = 800) -> bytes:
    """A voice-like buzz that glides."""
    hz = np.linspace(begin_hz, end_hz, ms * 8)
    phase = 2 * np.pi * np.cumsum(hz) / 8_000
    return sum((4_000 / n * np.sin(n * phase) for n in (1, 2, 3)), np.zeros(ms * 8)).astype("<i2").tobytes()


def test_a_voice_falls_or_does_not():
    """Two and more semitones down is a fall; level and rising are none; noise and too little tell nothing."""
    assert falls(glide(140, 95)) is True
    assert falls(glide(120, 120)) is False
    assert falls(glide(110, 150)) is False
    assert falls(sounds.noise(800, 3_000).astype("<i2").tobytes()) is None
    assert falls(glide(140, 95, ms=100)) is None and falls(b"") is None
