"""soxr for a whole sound at once, typed. (Its streams hold audio back for 100 ms and more: never for live frames.)"""

from __future__ import annotations

import numpy as np
import soxr  # type: ignore[import-untyped]
from numpy.typing import NDArray


def resample(samples: NDArray[np.float32], from_hz: int, to_hz: int) -> NDArray[np.float32]:
    """Mono samples at another rate; band-limited (VHQ)."""
    return np.asarray(soxr.resample(samples, from_hz, to_hz, "VHQ"), np.float32)
