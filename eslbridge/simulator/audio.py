"""Sound for telephones that are not there: WAV files, tones, levels. L16 little-endian mono 8,000 Hz throughout."""

from __future__ import annotations

import wave
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import soxr  # type: ignore[import-untyped]

RATE: Final = 8000
FRAME_MS: Final = 20
FRAME_BYTES: Final = 320
SILENCE: Final = bytes(FRAME_BYTES)
_RAW_RATES: Final = {".r8": 8000, ".r16": 16000, ".r24": 24000, ".r32": 32000, ".r48": 48000, ".r64": 64000}


def resample(pcm: bytes, source_rate: int, target_rate: int = RATE) -> bytes:
    """Whole-buffer resampling of L16."""
    if source_rate == target_rate:
        return pcm
    samples = np.frombuffer(pcm, dtype="<i2")
    result: bytes = soxr.resample(samples, source_rate, target_rate).astype("<i2").tobytes()
    return result


def read_file(path: str | Path) -> bytes:
    """A sound file as L16 8,000 Hz mono: WAV (16 bit), `.r8`…`.r64`, `.raw`.

    Raises `OSError` when it cannot be read and `ValueError` when it is in a form this switch does not play.
    """
    path = Path(path)
    if path.suffix in _RAW_RATES:
        return resample(path.read_bytes(), _RAW_RATES[path.suffix])
    if path.suffix == ".raw":
        return path.read_bytes()
    try:
        with wave.open(str(path), "rb") as file:
            if file.getsampwidth() != 2:
                raise ValueError(f"{path}: only 16-bit WAV is played")
            pcm = file.readframes(file.getnframes())
            if file.getnchannels() > 1:
                pcm = np.frombuffer(pcm, dtype="<i2").reshape(-1, file.getnchannels())[:, 0].tobytes()
            return resample(pcm, file.getframerate())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path}: {error}") from error


class Upsampler:
    """Frame by frame from 8,000 Hz to a multiple of it, without seams."""

    def __init__(self, rate: int) -> None:
        self.factor = rate // RATE
        self._last = 0.0

    def __call__(self, frame: bytes) -> bytes:
        """Straight lines between the samples: every frame has its full length at once, as the modules' has."""
        if self.factor == 1:
            return frame
        samples = np.concatenate(([self._last], np.frombuffer(frame, dtype="<i2")))
        self._last = float(samples[-1])
        places = np.arange(1, (len(samples) - 1) * self.factor + 1) / self.factor
        result: bytes = np.interp(places, np.arange(len(samples)), samples).astype("<i2").tobytes()
        return result


@lru_cache(maxsize=64)
def read_cached(path: str) -> bytes:
    """`read_file`, kept: a thousand callers share one recording."""
    return read_file(path)


@lru_cache(maxsize=32)
def tone(ms: int, hz: float, level: float = 0.3) -> bytes:
    """A sine of `ms` with short fades, so that it does not click."""
    count = RATE * ms // 1000
    time = np.arange(count) / RATE
    wave_form = np.sin(2 * np.pi * hz * time) * level * 32767
    fade = min(count // 2, RATE // 200)
    if fade:
        ramp = np.linspace(0.0, 1.0, fade)
        wave_form[:fade] *= ramp
        wave_form[-fade:] *= ramp[::-1]
    result: bytes = wave_form.astype("<i2").tobytes()
    return result


def chime() -> bytes:
    """What a colleague's telephone says when it is picked up: two short notes."""
    return tone(160, 660.0) + bytes(RATE * 2 * 60 // 1000) + tone(220, 880.0)


def peak(frame: bytes) -> int:
    """The loudest sample of a frame, 0 to 32768."""
    if not frame or frame == SILENCE:
        return 0
    samples = np.frombuffer(frame, dtype="<i2")
    return max(int(samples.max()), -int(samples.min()))


def mix(one: bytes, other: bytes) -> bytes:
    """The sum of two frames of the same length, clipped."""
    total = np.frombuffer(one, dtype="<i2").astype(np.int32) + np.frombuffer(other, dtype="<i2")
    result: bytes = np.clip(total, -32768, 32767).astype("<i2").tobytes()
    return result


def fit(frame: bytes) -> bytes:
    """Exactly one frame: padded with silence, or cut."""
    if len(frame) == FRAME_BYTES:
        return frame
    return frame[:FRAME_BYTES].ljust(FRAME_BYTES, b"\0")
