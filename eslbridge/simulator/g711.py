"""G.711 for the stand-in switch: its own tables, so that it cannot share a mistake with the code under test.

Sources: ITU-T G.711; the segment arithmetic below follows the recommendation's definition directly.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray


def _ulaw_decode_byte(code: int) -> int:
    code = ~code & 0xFF
    magnitude = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return -magnitude if code & 0x80 else magnitude


def _alaw_decode_byte(code: int) -> int:
    code ^= 0x55
    segment = (code & 0x70) >> 4
    magnitude = ((code & 0x0F) << 4) + 8
    if segment:
        magnitude = (magnitude + 0x100) << (segment - 1)
    return magnitude if code & 0x80 else -magnitude


@cache
def _tables(codec: str) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    """Decode table (256 of int16) and encode table (65536 of uint8, indexed by the sample as uint16)."""
    decode_byte = _ulaw_decode_byte if codec == "PCMU" else _alaw_decode_byte
    levels = np.array([decode_byte(code) for code in range(256)], dtype=np.int32)
    order = np.argsort(levels, kind="stable")
    ordered = levels[order]
    samples = np.arange(-32768, 32768, dtype=np.int32)
    # Nearest level: the codec's quantiser, up to ties.
    right = np.clip(np.searchsorted(ordered, samples), 1, 255)
    left = right - 1
    nearest = np.where(samples - ordered[left] <= ordered[right] - samples, left, right)
    encode = np.empty(65536, dtype=np.uint8)
    encode[samples.astype(np.int16).view(np.uint16)] = order[nearest]
    return levels.astype(np.int16), encode


def decode(codec: str, payload: bytes) -> bytes:
    """G.711 bytes to L16 little-endian, twice as long."""
    return _tables(codec)[0][np.frombuffer(payload, dtype=np.uint8)].astype("<i2").tobytes()


def encode(codec: str, pcm: bytes) -> bytes:
    """L16 little-endian (even length) to G.711 bytes, half as long."""
    return _tables(codec)[1][np.frombuffer(pcm, dtype="<i2").view(np.uint16)].tobytes()
