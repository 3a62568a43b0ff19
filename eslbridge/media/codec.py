"""G.711 for whole frames: bytes in, bytes out, one table look-up a sample.

Both laws are stored as tables built once at import from the segment search of ITU-T G.711 in the form every telephone
switch uses (linear 16 bit, of which mu-law looks at 14 bits and A-law at 13). A test compares all 65,536 + 256 values
of each law with Python's `audioop`.

Costs about 2 microseconds a 20 ms frame, either way.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Law = Literal["PCMU", "PCMA"]
"""Names as FreeSWITCH writes them in `Channel-Read-Codec-Name`."""

ULAW_SILENCE: Final = 0xFF
ALAW_SILENCE: Final = 0xD5

_U8 = NDArray[np.uint8]
_I16 = NDArray[np.int16]


def _segment(magnitude: NDArray[np.int32], first_end: int) -> NDArray[np.int32]:
    """Which of the eight segments a magnitude lies in; segment k ends at (first_end + 1) * 2**k - 1."""
    ends = np.array([((first_end + 1) << k) - 1 for k in range(8)], dtype=np.int32)
    return np.searchsorted(ends, magnitude, side="left").astype(np.int32)


def _ulaw_encode_table() -> _U8:
    linear = np.arange(-32768, 32768, dtype=np.int32) >> 2
    mask = np.where(linear < 0, 0x7F, 0xFF)
    magnitude = np.minimum(np.abs(linear) + 33, 0x1FFF)
    segment = _segment(magnitude, 0x3F)
    codes: _U8 = ((((segment << 4) | ((magnitude >> (segment + 1)) & 0x0F)) ^ mask) & 0xFF).astype(np.uint8)
    return codes


def _ulaw_decode_table() -> _I16:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_encode_table() -> _U8:
    linear = np.arange(-32768, 32768, dtype=np.int32) >> 3
    mask = np.where(linear < 0, 0x55, 0xD5)
    magnitude = np.where(linear < 0, -linear - 1, linear)
    segment = _segment(magnitude, 0x1F)
    mantissa = (magnitude >> np.maximum(segment, 1)) & 0x0F
    return ((((segment << 4) | mantissa) ^ mask) & 0xFF).astype(np.uint8)


def _alaw_decode_table() -> _I16:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment = (code >> 4) & 7
    magnitude = ((code & 0x0F) << 4) + np.where(segment == 0, 8, 0x108)
    magnitude <<= np.maximum(segment - 1, 0)
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _by_unsigned(table: _U8) -> _U8:
    """Reorder a table for samples -32768..32767 so that it is indexed by the sample's bits read as unsigned."""
    return np.roll(table, -32768)


_ENCODE: Final[dict[str, _U8]] = {
    "PCMU": _by_unsigned(_ulaw_encode_table()),
    "PCMA": _by_unsigned(_alaw_encode_table()),
}
_DECODE: Final[dict[str, _I16]] = {"PCMU": _ulaw_decode_table(), "PCMA": _alaw_decode_table()}
SILENCE_BYTE: Final[dict[str, int]] = {"PCMU": ULAW_SILENCE, "PCMA": ALAW_SILENCE}
"""What digital silence looks like on the wire in each law."""


def encode(pcm: bytes, law: Law) -> bytes:
    """L16 little-endian of any even length -> half as many G.711 bytes."""
    return _ENCODE[law].take(np.frombuffer(pcm, "<u2")).tobytes()


def decode(payload: bytes, law: Law) -> bytes:
    """G.711 bytes -> twice as many bytes of L16 little-endian."""
    return _DECODE[law].take(np.frombuffer(payload, np.uint8)).tobytes()
