"""The audio formats that an ElevenLabs agent may be configured for; it names them when the conversation begins."""

from __future__ import annotations

from collections.abc import Callable

from eslbridge.media.codec import decode, encode
from eslbridge.media.resample import Decimator, Interpolator
from secretary.speech.contract import ProviderError

Convert = Callable[[bytes], bytes]


def to_agent(name: str) -> Convert:
    """L16 of 8,000 Hz to the agent's input format. Raises ProviderError."""
    return (lambda pcm: encode(pcm, "PCMU")) if name == "ulaw_8000" else Interpolator(_rate(name)).push


def from_agent(name: str) -> Convert:
    """The agent's output format to L16 of 8,000 Hz. Raises ProviderError."""
    if name == "ulaw_8000":
        return lambda data: decode(data, "PCMU")
    down, odd = Decimator(_rate(name)), b""

    def convert(data: bytes) -> bytes:
        nonlocal odd
        data = odd + data
        even = len(data) & ~1
        odd = data[even:]
        return down.push(data[:even])

    return convert


def _rate(name: str) -> int:
    kind, _, rate = name.partition("_")
    if kind != "pcm" or not rate.isdecimal() or int(rate) % 8_000:
        words = f"the agent's audio format {name[:20]!r} does not fit a telephone: choose ulaw_8000"
        raise ProviderError(words, kind="refused")
    return int(rate)
