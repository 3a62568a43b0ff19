"""Does a voice fall towards its end? Sentences do, lists and unfinished ones do not."""

from __future__ import annotations

from typing import Final

import numpy as np

_RATE: Final = 4_000
"""Every second sample, after a little smoothing: pitch lies far below."""
_FRAME: Final = 160
"""40 ms: two periods and more of the lowest voice."""
_HOP: Final = 80
_SHORTEST: Final = _RATE // 400
_LONGEST: Final = _RATE // 70
"""Periods of the highest and the lowest voice."""
_VOICED: Final = 0.5
_QUIET: Final = 100.0
"""Below this (RMS) nothing is voiced."""
_FALL: Final = 0.92
"""The last of the voice lies this much below what was before: one and a half semitones."""
_FEWEST: Final = 14
_LAST: Final = 6
"""Frames."""


def falls(pcm: bytes) -> bool | None:
    """Whether the pitch of the last voiced 150 ms lies clearly below that of the voice before it; None: not enough of
    a voice to tell. L16 of 8,000 Hz, the last 800 ms or so of a turn. About 0.2 ms."""
    samples = np.frombuffer(pcm[: len(pcm) // 4 * 4], "<i2").astype(np.float32)
    samples = (samples[::2] + samples[1::2]) * np.float32(0.5)
    if len(samples) < _FRAME:
        return None
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_HOP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    energy = np.einsum("ij,ij->i", frames, frames)
    loud = energy > _FRAME * _QUIET**2
    if np.count_nonzero(loud) < _FEWEST:
        return None
    frames, energy = frames[loud], energy[loud]
    spectrum = np.fft.rfft(frames, 2 * _FRAME, axis=1)
    correlation = np.fft.irfft(spectrum * np.conj(spectrum), axis=1)[:, _SHORTEST:_LONGEST]
    best = correlation.argmax(axis=1)
    lags = best + _SHORTEST
    voiced = correlation[np.arange(len(best)), best] >= _VOICED * energy * (1 - lags / _FRAME)
    periods = lags[voiced]
    if len(periods) < _FEWEST:
        return None
    return bool(np.median(periods[:-_LAST]) < _FALL * np.median(periods[-_LAST:]))
