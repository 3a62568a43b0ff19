"""What text to speech services stream, as the node's L16 at 8,000 Hz: whole samples, little delay, any cut.

24,000 Hz (and every other multiple of 8,000) goes through the node's own decimator, which holds 1.5 ms back. Other
rates (22,050 Hz of many self-hosted voices) go through the same kind of filter with a fractional step, 2 ms back.
"""

from __future__ import annotations

import struct
from math import gcd
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from eslbridge.media import codec
from eslbridge.media.contract import RATE
from eslbridge.media.resample import MAX_FACTOR, Decimator
from secretary.speech.contract import ProviderError

_HALF: Final = 16
"""Samples of the lower rate on each side of the fractional filter's centre: 16 / 8,000 s are 2 ms."""
_CUTOFF: Final = 0.9
"""Of the lower rate's half: 3,600 Hz where the voice comes down to 8,000."""
MAX_HEADER: Final = 4096
"""Bytes before the sound of a WAV: some carry texts there, none so many."""

_F32 = NDArray[np.float32]


class Converter(Protocol):
    """A stream's bytes to L16 8,000 Hz, as far as they go."""

    def push(self, data: bytes) -> bytes: ...


class Ulaw:
    """G.711 µ-law at 8,000 Hz: one table look-up, no delay."""

    def push(self, data: bytes) -> bytes:
        return codec.decode(data, "PCMU")


class Linear:
    """L16 mono at any rate from 8,000 to 96,000 Hz, in pieces of any length, odd ones too."""

    def __init__(self, rate: int) -> None:
        if not RATE <= rate <= RATE * MAX_FACTOR:
            raise ProviderError(f"a voice at {rate} Hz cannot be played", kind="protocol")
        self._resampler = Decimator(rate) if rate % RATE == 0 else FractionalResampler(rate)
        self._odd = b""

    def push(self, data: bytes) -> bytes:
        data = self._odd + data
        whole = len(data) & ~1
        self._odd = data[whole:]
        return self._resampler.push(data[:whole]) if whole else b""


class Wav:
    """A WAV as it streams: its header says the rate. Sizes in it are not believed: a stream's are made up."""

    def __init__(self) -> None:
        self._head = b""
        self._body: Linear | None = None
        self._left = 0
        """Bytes of sound still to come where the header can be believed; other chunks may follow them."""

    def push(self, data: bytes) -> bytes:
        if self._body is None:
            self._head += data
            data = self._begin()
            if self._body is None:
                return b""
        data = data[: self._left]
        self._left -= len(data)
        return self._body.push(data)

    def _begin(self) -> bytes:
        """Read the header as far as it is there; gives what came of the sound. Raises ProviderError."""
        head, at, rate = self._head, 12, 0
        if not b"RIFF".startswith(head[:4]) and head[:4] != b"RIFF":
            raise ProviderError("the voice is not the WAV it should be", kind="protocol")
        while len(head) >= at + 8:
            name, size = head[at : at + 4], struct.unpack_from("<I", head, at + 4)[0]
            if name == b"data":
                if not rate:
                    break
                self._body = Linear(rate)
                self._left = size if 0 < size < 0x7FFFFFFF else 1 << 40
                self._head = b""
                return head[at + 8 :]
            if len(head) < at + 8 + size:
                if size > MAX_HEADER:
                    break
                return b""
            if name == b"fmt ":
                rate = _rate(head[at + 8 : at + 8 + size])
            at += 8 + size + size % 2
        if len(head) > MAX_HEADER or len(head) >= at + 8:
            raise ProviderError("the voice is not the WAV it should be", kind="protocol")
        return b""


def _rate(form: bytes) -> int:
    if len(form) < 16:
        raise ProviderError("the voice is not the WAV it should be", kind="protocol")
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", form)
    if kind not in (1, 0xFFFE) or channels != 1 or bits != 16:
        raise ProviderError("the voice's WAV is not 16 bit mono", kind="protocol")
    return int(rate)


class FractionalResampler:
    """`rate` Hz to 8,000 Hz, L16 of any even length, by a bank of windowed sincs: one for each phase of the step."""

    _banks: dict[int, _F32] = {}  # noqa: RUF012 - shared by all: a filter is the same for everybody

    def __init__(self, rate: int) -> None:
        common = gcd(rate, RATE)
        self._step, self._phases = rate // common, RATE // common
        reach = -(-_HALF * rate // RATE)
        self._taps = 2 * reach
        bank = self._banks.get(rate)
        if bank is None:
            bank = self._banks[rate] = _bank(rate, self._phases, reach)
        self._bank = bank
        self._held: _F32 = np.zeros(self._taps - 1, dtype=np.float32)
        self._at = 0
        """Where the next output lies, in 1/phases of an input sample, from the first held one on."""

    def push(self, pcm: bytes) -> bytes:
        samples = np.concatenate((self._held, np.frombuffer(pcm, "<i2")), dtype=np.float32)
        room = len(samples) - self._taps
        if room < 0:
            self._held = samples
            return b""
        count = (room * self._phases + self._phases - 1 - self._at) // self._step + 1
        if count <= 0:
            self._held = samples
            return b""
        places = self._at + self._step * np.arange(count)
        starts, phases = np.divmod(places, self._phases)
        windows = np.lib.stride_tricks.sliding_window_view(samples, self._taps)[starts]
        out = np.einsum("ij,ij->i", windows, self._bank[phases])
        following = self._at + self._step * count
        used = min(following // self._phases, len(samples))
        self._held = samples[used:].copy()
        self._at = following - used * self._phases
        samples_out: NDArray[np.int16] = np.clip(np.rint(out), -32768, 32767).astype("<i2")
        return samples_out.tobytes()


def _bank(rate: int, phases: int, reach: int) -> _F32:
    cutoff = _CUTOFF * RATE / rate
    offsets = np.arange(2 * reach)[None, :] - (reach - 1) - np.arange(phases)[:, None] / phases
    window = np.i0(8.0 * np.sqrt(np.clip(1 - (offsets / reach) ** 2, 0, None))) / np.i0(8.0)
    bank = cutoff * np.sinc(cutoff * offsets) * window
    return np.asarray(bank / bank.sum(axis=1, keepdims=True), dtype=np.float32)
