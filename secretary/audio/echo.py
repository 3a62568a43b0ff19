"""Is what the caller's line brings the secretary's own voice, come back?

A hands-free telephone or a bad hybrid sends back what it plays: quieter, later by up to half a second, a little
coloured, and for voice activity it is speech. It is compared with what was played: the share of the caller's energy
that is a delayed and scaled copy of it. An echo alone is mostly copy, whatever its level; a caller who speaks over an
echo is not. Here and there an echo is too coloured to be known again; but how loud it is and how late is known by then,
and nothing that is not clearly louder than the echo expected at this moment is taken for the caller.

Asked only where speech is suspected while the secretary is heard, never for each frame: about 0.15 ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eslbridge.media.contract import BYTES_PER_MS

WINDOW_MS: Final = 160
"""How much of the caller is judged: the last moment."""
LONGEST_DELAY_MS: Final = 480
"""How old an echo may be: two ways through the network, jitter buffers and a slow telephone."""
REFERENCE_MS: Final = WINDOW_MS + LONGEST_DELAY_MS
ECHO_SHARE: Final = 0.35
"""From this share on it is an echo. Unrelated speech reaches 0.2; of echoes with colour and noise 97 % are above."""
_FFT: Final = 1 << (REFERENCE_MS * 8 + WINDOW_MS * 8 - 1).bit_length()

LOUDEST: Final = 0.5
"""An echo has at most half the energy of what was said; two voices alike by chance are more alike in that, too."""
MOST_BY_LEVEL: Final = 6
"""So often in a row only the level may speak for an echo: then it is somebody with a soft voice."""
_LOUDER: Final = 3.0
"""So many times the energy of the echo expected (5 dB) is more than an echo."""
_TREMBLE: Final = 80
"""How far the delay of an echo may move, in samples: 10 ms."""

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Match:
    """The best copy of the reference found in the caller's audio."""

    share: float = 0.0
    """Of the caller's energy, 0..1."""
    power: float = 0.0
    """The caller's energy for one of the reference's, there."""
    delay: int = 0
    """In samples."""


class EchoGuard:
    """Judges one call, and remembers what its echo is like."""

    def __init__(self) -> None:
        self._seen: Match | None = None
        self._known: Match | None = None
        """Seen twice with the same delay."""
        self._by_level = 0

    def is_echo(self, caller: bytes, reference: bytes) -> bool:
        """Whether the caller's last moment is the secretary's voice. Both end now; see `find`."""
        said, energies, match = _compare(caller, reference)
        if match.share >= ECHO_SHARE and match.power <= LOUDEST:
            if self._seen is not None and abs(self._seen.delay - match.delay) <= _TREMBLE:
                self._known = match
            self._seen, self._by_level = match, 0
            return True
        if self._known is None or not len(energies) or self._by_level >= MOST_BY_LEVEL:
            return False
        at = len(energies) - 1 - self._known.delay
        around = energies[max(at - _TREMBLE, 0) : max(at + _TREMBLE + 1, 1)]
        if float(np.dot(said, said)) >= _LOUDER * self._known.power * float(around.max()):
            return False
        self._by_level += 1
        return True


def find(caller: bytes, reference: bytes) -> Match:
    """The copy of the reference in the caller's audio, at the delay where it explains most.

    Both are L16 of 8,000 Hz that end now: of the caller the last WINDOW_MS count, of what was played to them the last
    REFERENCE_MS. Nothing is found in silence, or in too little of either.
    """
    return _compare(caller, reference)[2]


def _compare(caller: bytes, reference: bytes) -> tuple[F32, F64, Match]:
    said = _sharpened(caller[-WINDOW_MS * BYTES_PER_MS :])
    played = _sharpened(reference[-REFERENCE_MS * BYTES_PER_MS :])
    size = len(said)
    nothing: F64 = np.zeros(0)
    energy = float(np.dot(said, said))
    if size < WINDOW_MS * 4 or len(played) < size or energy <= 0.0:
        return said, nothing, Match()
    sums: F64 = np.concatenate(([0.0], np.cumsum(np.square(played), dtype=np.float64)))
    energies = sums[size:] - sums[:-size]
    loudest = float(energies.max())
    if energy > LOUDEST * loudest:
        return said, energies, Match()  # whatever is alike: nothing that was played comes back so loud
    spectrum = np.fft.rfft(played, _FFT) * np.conj(np.fft.rfft(said, _FFT))
    match = np.fft.irfft(spectrum, _FFT)[: len(played) - size + 1]
    loud = energies > 1e-6 * loudest
    copied = np.where(loud, match**2 / np.where(loud, energies, 1.0), 0.0)
    best = int(copied.argmax())
    share = min(float(copied[best]) / energy, 1.0)
    return said, energies, Match(share, energy / float(energies[best]), len(energies) - 1 - best)


def _sharpened(pcm: bytes) -> F32:
    """First differences: speech is loudest where it says least about itself."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float32)
    return samples[1:] - np.float32(0.9) * samples[:-1]
