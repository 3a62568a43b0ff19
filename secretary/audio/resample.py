"""Resampling of whole recordings and prompts, at the best quality there is.

For audio that is still arriving use `eslbridge.media.resample`: this one sees the whole buffer and so has no delay to
keep short, while its streaming mode would hold 60-160 ms back.
"""

from __future__ import annotations

import numpy as np
import soxr  # type: ignore[import-untyped]

from eslbridge.media.contract import RATE


def resample(pcm: bytes, rate: int, to_rate: int = RATE) -> bytes:
    """L16 mono at `rate` Hz -> L16 mono at `to_rate` Hz (soxr HQ). Raises ValueError for rates below 1 Hz."""
    if rate < 1 or to_rate < 1:
        raise ValueError(f"cannot resample from {rate} Hz to {to_rate} Hz")
    if rate == to_rate or not pcm:
        return pcm
    converted = soxr.resample(np.frombuffer(pcm, "<i2"), rate, to_rate, quality="HQ")
    return np.asarray(converted, dtype="<i2").tobytes()
