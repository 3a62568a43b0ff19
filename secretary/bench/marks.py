"""Marks in the audio: two milliseconds that nobody hears, by which a frame is known again at the other end.

A mark is sixteen small samples that survive G.711 bit by bit: a fixed beginning, then a number of 32 bits. Whoever
sends one writes down when, whoever finds one does so, too: the difference is how long the audio was under way.
"""

from __future__ import annotations

from typing import Final

from eslbridge.media import codec

MAGIC: Final = bytes((0xFE, 0xF1, 0xFD, 0x72, 0x7E, 0xF3, 0x7D, 0xF2))
SIZE: Final = len(MAGIC) + 8
"""Samples."""
_SMALL: Final = 0xF0
"""The sixteen smallest positive steps of mu-law: at most -48 dBFS."""


def ulaw(number: int) -> bytes:
    """The mark of this number as mu-law codes."""
    return MAGIC + bytes(_SMALL | (number >> shift) & 0xF for shift in range(28, -4, -4))


def linear(number: int) -> bytes:
    """The mark as L16."""
    return codec.decode(ulaw(number), "PCMU")


def find_ulaw(codes: bytes) -> int | None:
    """The number of the first mark in these mu-law codes; None where there is none."""
    at = codes.find(MAGIC)
    if at < 0 or at + SIZE > len(codes):
        return None
    number = 0
    for code in codes[at + len(MAGIC) : at + SIZE]:
        number = number << 4 | code & 0xF
    return number


_LINEAR_MAGIC: Final = codec.decode(MAGIC, "PCMU")


def find_linear(pcm: bytes) -> int | None:
    """The number of the first mark in L16."""
    at = pcm.find(_LINEAR_MAGIC)
    if at < 0 or at + 2 * SIZE > len(pcm):
        return None
    return find_ulaw(codec.encode(pcm[at : at + 2 * SIZE], "PCMU"))
