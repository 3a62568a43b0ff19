"""Recorded speech for measurements: three callers and one agent, spoken by flite's voices into files of ours."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from eslbridge.media.contract import FRAME_BYTES, RATE

_FOLDER = Path(__file__).parent / "data"


def load(name: str) -> bytes:
    """A clip as L16 mono 8,000 Hz. Raises OSError, ValueError for another format."""
    with wave.open(str(_FOLDER / f"{name}.wav"), "rb") as clip:
        if (clip.getnchannels(), clip.getsampwidth(), clip.getframerate()) != (1, 2, RATE):
            raise ValueError(f"{name}.wav is not 16 bit mono {RATE} Hz")
        return clip.readframes(clip.getnframes())


def callers() -> list[bytes]:
    return [load(f"caller{n}") for n in (1, 2, 3)]


def onset_ms(pcm: bytes) -> int:
    """Where speech begins in a clip: the first 5 ms louder than 5 % of its loudest."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    steps = samples[: len(samples) // 40 * 40].reshape(-1, 40)
    level = np.sqrt((steps**2).mean(axis=1))
    return int(np.argmax(level > 0.05 * level.max())) * 5


def frames(pcm: bytes) -> list[bytes]:
    """Whole frames; the last one filled up with silence."""
    return [pcm[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\0") for at in range(0, len(pcm), FRAME_BYTES)]
