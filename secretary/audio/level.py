"""How loud a piece of audio is."""

from __future__ import annotations

from typing import Final

import numpy as np

QUIETEST_DBFS: Final = -96.3
"""Below one step of 16 bit: digital silence."""


def dbfs(pcm: bytes) -> float:
    """Mean level of L16 in dB below full scale (a full-scale square wave is 0); QUIETEST_DBFS for silence or
    nothing."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    if not len(samples):
        return QUIETEST_DBFS
    power = float(np.dot(samples, samples)) / len(samples) / 32768.0**2
    return max(10.0 * float(np.log10(power)), QUIETEST_DBFS) if power > 0 else QUIETEST_DBFS
