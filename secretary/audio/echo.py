"""Is what the caller's line brings the secretary's own voice, come back?

A hands-free telephone or a bad hybrid sends back what it plays: quieter, later by up to half a second, a little
coloured, and for voice activity it is speech. It is compared with what was played: the share of the caller's energy,
less the line's noise, that is a delayed and scaled copy of it. An echo alone is mostly copy, whatever its level; a
caller who speaks over an echo is not.

Here and there an echo is too coloured to be known again, or drowns in noise. But how loud it is and how late is known
by then: nothing is taken for the caller that is not clearly louder than the echo expected at this moment, nor what is
no louder than the line's noise once the copy is taken out of it.

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
LISTEN_MS: Final = 500
"""How much of the caller is wanted: its quietest part is the line's noise."""
LONGEST_DELAY_MS: Final = 480
"""How old an echo may be: two ways through the network, jitter buffers and a slow telephone."""
REFERENCE_MS: Final = WINDOW_MS + LONGEST_DELAY_MS
ECHO_SHARE: Final = 0.35
"""From this share on it is an echo. Unrelated speech reaches 0.2; of echoes with colour and noise 97 % are above."""
_FFT: Final = 1 << (REFERENCE_MS * 8 + WINDOW_MS * 8 - 1).bit_length()

HINT_SHARE: Final = 0.15
"""So much copy, as late as the last one, tells an echo in noise."""
_NOISY: Final = 1.7
"""So many times the noise's energy is no more than noise. Of echoes in noise 95 % leave less, of voices none in a line
that hisses at -50 dBFS or less; at -40 dBFS a soft one is heard up to 100 ms later for it."""
_NEARLY: Final = 3.0
"""The same for what is as late as the echo was before."""
_RISE: Final = 1.2
"""How fast the noise is believed to rise, from one question to the next: a long vowel is no noise."""
_QUIETEST: Final = 3
"""Frames of 20 ms, the quietest of those heard lately, that tell the noise."""
_FRAME: Final = 20 * BYTES_PER_MS // 2
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
    """Of the caller's energy above the noise, 0..1."""
    power: float = 0.0
    """The caller's energy above the noise for one of the reference's, there."""
    delay: int = 0
    """In samples."""
    rest: float = 0.0
    """The caller's energy that is no copy."""


class EchoGuard:
    """Judges one call, and remembers what its echo and its noise are like."""

    def __init__(self) -> None:
        self._seen: Match | None = None
        self._known: Match | None = None
        """Seen twice with the same delay."""
        self._by_level = 0
        self._noise: float | None = None
        """Energy of one sample."""

    def is_echo(self, caller: bytes, reference: bytes) -> bool:
        """Whether the caller's last moment is the secretary's voice. Both end now.

        L16 of 8,000 Hz: of the caller the last LISTEN_MS, of what was played to them the last REFERENCE_MS; less at
        the beginning of a call, or of a voice. Nothing is found in silence.
        """
        heard = _sharpened(caller[-LISTEN_MS * BYTES_PER_MS :])
        said = heard[-WINDOW_MS * BYTES_PER_MS // 2 :]
        energy = float(np.dot(said, said))
        if len(said) < WINDOW_MS * 4 or energy <= 0.0:
            return False
        played = np.zeros(REFERENCE_MS * BYTES_PER_MS // 2, np.float32)
        if len(sound := _sharpened(reference[-REFERENCE_MS * BYTES_PER_MS :])):
            played[-len(sound) :] = sound
        noise = self._listened(heard) * len(said)
        energies, match = _compare(said, played, max(energy - noise, 0.0))
        loudest = float(energies.max())
        if not loudest:
            return False
        again = self._seen is not None and abs(self._seen.delay - match.delay) <= _TREMBLE
        if match.rest <= _NOISY * noise:
            if match.share >= HINT_SHARE and match.power <= LOUDEST:
                self._seen, self._by_level = match, 0
            return True
        if energy - noise > LOUDEST * loudest:
            return False  # whatever is alike: nothing that was played comes back so loud
        if match.share >= ECHO_SHARE and match.power <= LOUDEST:
            if again:
                self._known = match
            self._seen, self._by_level = match, 0
            return True
        if self._by_level >= MOST_BY_LEVEL:
            return False
        if again and match.share >= HINT_SHARE and match.rest <= _NEARLY * noise:
            self._by_level += 1
            return True
        if self._known is None:
            return False
        at = len(energies) - 1 - self._known.delay
        around = energies[max(at - _TREMBLE, 0) : max(at + _TREMBLE + 1, 1)]
        if energy - noise >= _LOUDER * self._known.power * float(around.max()):
            return False
        self._by_level += 1
        return True

    def _listened(self, heard: F32) -> float:
        """The line's noise, as energy of one sample."""
        frames = heard[len(heard) % _FRAME :].reshape(-1, _FRAME)
        quietest = np.sort(np.square(frames).mean(axis=1))[:_QUIETEST]
        now = float(quietest.mean())
        self._noise = now if self._noise is None else min(now, _RISE * max(self._noise, 1.0))
        return self._noise


def _compare(said: F32, played: F32, energy: float) -> tuple[F64, Match]:
    """The copy of `played` in `said` at the delay where it explains most, and the energies of `played` by delay.

    `energy`: what there is to explain.
    """
    size = len(said)
    sums: F64 = np.concatenate(([0.0], np.cumsum(np.square(played), dtype=np.float64)))
    energies = sums[size:] - sums[:-size]
    spectrum = np.fft.rfft(played, _FFT) * np.conj(np.fft.rfft(said, _FFT))
    match = np.fft.irfft(spectrum, _FFT)[: len(played) - size + 1]
    loud = energies > 1e-6 * float(energies.max())
    copied = np.where(loud, match**2 / np.where(loud, energies, 1.0), 0.0)
    best = int(copied.argmax())
    there = max(float(energies[best]), 1e-9)
    share = min(float(copied[best]) / max(energy, 1e-9), 1.0)
    rest = float(np.dot(said, said)) - float(copied[best])
    return energies, Match(share, energy / there, len(energies) - 1 - best, rest)


def _sharpened(pcm: bytes) -> F32:
    """First differences: speech is loudest where it says least about itself."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float32)
    return samples[1:] - np.float32(0.9) * samples[:-1]
