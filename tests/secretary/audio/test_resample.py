"""Whole recordings keep their length and their voice at any rate."""

from __future__ import annotations

import numpy as np
import pytest

from secretary.audio.resample import resample


@pytest.mark.parametrize("rate", [16000, 22050, 24000, 44100, 48000])
def test_length_and_level_are_kept(rate):
    """A second of 1 kHz stays a second of 1 kHz."""
    pcm = (8000 * np.sin(2 * np.pi * 1000 * np.arange(rate) / rate)).astype("<i2").tobytes()
    out = np.frombuffer(resample(pcm, rate), "<i2").astype(float)
    assert len(out) == 8000
    assert np.sqrt((out[400:-400] ** 2).mean()) == pytest.approx(8000 / 2**0.5, rel=0.02)


def test_nothing_to_do_costs_nothing():
    """The same rate, or no audio, comes back as it is."""
    pcm = bytes(100)
    assert resample(pcm, 8000) is pcm
    assert resample(b"", 16000) == b""


def test_a_senseless_rate_is_refused():
    """Instead of a division by zero somewhere inside."""
    with pytest.raises(ValueError, match="cannot resample"):
        resample(bytes(2), 0)
