"""Streaming resampling by a whole factor, for legs that do not run at 8,000 Hz.

FreeSWITCH sends 8,000 n Hz only, so a leg needs to divide or multiply the rate by a whole number and nothing else.
One windowed-sinc low-pass, evaluated only at the samples that are kept (decimation) or in its polyphase parts
(interpolation), delays the voice by 1.5 ms (`delay_ms`). The usual streaming resamplers hold 60-160 ms back and hand
it out in lumps, which a telephone conversation cannot spend.

Input may have any number of samples; output is what is ready.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .contract import RATE

_HALF: Final = 12
"""Samples of 8,000 Hz on each side of the filter's centre: sets both the steepness and the delay (12 / 8 = 1.5 ms)."""
_CUTOFF_HZ: Final = 3600.0
MAX_FACTOR: Final = 12
"""Up to 96,000 Hz."""

_F32 = NDArray[np.float32]


def _low_pass(factor: int) -> _F32:
    """A Kaiser-windowed sinc at 8,000 * factor Hz, `2 * _HALF * factor` taps and one, gain 1 at DC."""
    half = _HALF * factor
    n = np.arange(-half, half + 1)
    cutoff = 2.0 * _CUTOFF_HZ / (RATE * factor)
    taps = cutoff * np.sinc(cutoff * n) * np.kaiser(2 * half + 1, 6.0)
    return np.asarray(taps / taps.sum(), dtype=np.float32)


_FILTERS: dict[int, _F32] = {}


def _filter(factor: int) -> _F32:
    taps = _FILTERS.get(factor)
    if taps is None:
        taps = _FILTERS[factor] = _low_pass(factor)
    return taps


def factor_of(rate: int) -> int:
    """How many times 8,000 Hz `rate` is. Raises ValueError for a rate that is no such multiple or above 96,000 Hz."""
    factor, rest = divmod(rate, RATE)
    if rest or not 1 <= factor <= MAX_FACTOR:
        raise ValueError(f"a leg runs at 8000 * n Hz up to {MAX_FACTOR * RATE}, not at {rate}")
    return factor


class Decimator:
    """8,000 n Hz -> 8,000 Hz, L16 bytes of any even length. Raises ValueError at a rate that does not fit."""

    __slots__ = ("_factor", "_held", "_taps")

    def __init__(self, rate: int) -> None:
        self._factor = factor_of(rate)
        self._taps = _filter(self._factor)
        self._held: _F32 = np.zeros(len(self._taps) - 1, dtype=np.float32)

    @property
    def delay_ms(self) -> float:
        return _HALF * 1000 / RATE

    def push(self, pcm: bytes) -> bytes:
        """Take what came, give what is ready: one sample for every `n` that came in."""
        if self._factor == 1:
            return pcm
        samples = np.concatenate((self._held, np.frombuffer(pcm, "<i2")), dtype=np.float32)
        size, step = len(self._taps), self._factor
        ready = (len(samples) - size) // step + 1
        if ready <= 0:
            self._held = samples
            return b""
        windows = np.lib.stride_tricks.sliding_window_view(samples, size)[: ready * step : step]
        self._held = samples[ready * step :].copy()
        return _to_l16(windows @ self._taps)


class Interpolator:
    """8,000 Hz -> 8,000 n Hz, L16 bytes of any even length. Raises ValueError at a rate that does not fit."""

    __slots__ = ("_factor", "_held", "_phases")

    def __init__(self, rate: int) -> None:
        self._factor = factor_of(rate)
        taps = _filter(self._factor) * self._factor
        # One column for each output sample that follows an input sample; a window runs forward in time, so reversed.
        padded = np.concatenate((taps, np.zeros(-len(taps) % self._factor, dtype=np.float32)))
        self._phases: _F32 = np.ascontiguousarray(padded.reshape(-1, self._factor)[::-1])
        self._held: _F32 = np.zeros(len(self._phases) - 1, dtype=np.float32)

    @property
    def delay_ms(self) -> float:
        return _HALF * 1000 / RATE

    def push(self, pcm: bytes) -> bytes:
        """Take what came, give `n` samples for each."""
        if self._factor == 1 or not pcm:
            return pcm
        samples = np.concatenate((self._held, np.frombuffer(pcm, "<i2")), dtype=np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(samples, len(self._phases))
        self._held = samples[len(samples) - len(self._phases) + 1 :].copy()
        return _to_l16((windows @ self._phases).reshape(-1))


def _to_l16(samples: _F32) -> bytes:
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()
