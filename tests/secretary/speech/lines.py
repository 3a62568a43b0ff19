"""Telephone lines for the recogniser's tests: recorded callers as a conversation would hand their turns over."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import secretary.demo

CALLERS = Path(secretary.demo.__file__).with_name("callers")


def turn(name: str, *, mulaw: bool = False, noise_db: float | None = None) -> bytes:
    """A recorded caller with 300 ms before and 700 ms after, over G.711 mu-law, with noise so far below the speech."""
    with wave.open(str(CALLERS / f"{name}.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    samples = np.concatenate([np.zeros(2400), samples, np.zeros(5600)])
    if noise_db is not None:
        samples = samples + np.random.default_rng(7).normal(size=len(samples)) * 0.1 * 10 ** (-noise_db / 20)
    if mulaw:
        samples = _through_mulaw(samples)
    return np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def noise(seconds: float, level: float = 0.1, seed: int = 1) -> bytes:
    """White noise, L16 8 kHz."""
    samples = np.random.default_rng(seed).normal(size=int(8000 * seconds)) * level
    return np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def tone(hz: float, seconds: float) -> bytes:
    """A steady tone, L16 8 kHz."""
    samples = 0.2 * np.sin(2 * np.pi * hz * np.arange(int(8000 * seconds)) / 8000)
    return np.round(samples * 32767).astype("<i2").tobytes()


def _through_mulaw(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """The continuous mu-law curve with 256 steps: G.711's distortion without its tables."""
    curve = np.sign(samples) * np.log1p(255 * np.abs(samples)) / np.log(256)
    steps = np.round((curve + 1) / 2 * 255) / 255 * 2 - 1
    return np.asarray(np.sign(steps) * np.expm1(np.abs(steps) * np.log(256)) / 255)
