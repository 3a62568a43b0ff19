"""Levels are told in dB below full scale."""

from __future__ import annotations

import numpy as np
import pytest

from secretary.audio.level import QUIETEST_DBFS, dbfs


def test_known_levels():
    """A full-scale square wave is 0 dBFS, a sine 3 dB less, half the amplitude 6 dB less."""
    square = np.where(np.arange(800) % 8 < 4, 32767, -32767).astype("<i2")
    sine = (32767 * np.sin(2 * np.pi * np.arange(800) / 80)).astype("<i2")
    assert dbfs(square.tobytes()) == pytest.approx(0, abs=0.01)
    assert dbfs(sine.tobytes()) == pytest.approx(-3.01, abs=0.05)
    assert dbfs((sine // 2).tobytes()) == pytest.approx(-9.03, abs=0.05)


@pytest.mark.parametrize("pcm", [b"", bytes(320)])
def test_silence_and_nothing_are_the_quietest(pcm):
    """No logarithm of zero."""
    assert dbfs(pcm) == QUIETEST_DBFS
