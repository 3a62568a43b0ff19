"""Resampling must keep speech, remove what does not fit into 8 kHz, and hold back no more than a few milliseconds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eslbridge.media.resample import Decimator, Interpolator

RATES = [16000, 24000, 32000, 48000]


def tone(hz: float, rate: int, seconds: float = 0.5, peak: float = 8000) -> bytes:
    n = np.arange(int(rate * seconds))
    return (peak * np.sin(2 * np.pi * hz * n / rate)).astype("<i2").tobytes()


def rms(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, "<i2").astype(float)
    return float(np.sqrt(np.mean(samples[400:-400] ** 2)))


@pytest.mark.parametrize("rate", RATES)
def test_a_voice_tone_survives_both_ways(rate):
    """1 kHz keeps its level within 0.2 dB down to 8 kHz and up again."""
    down = Decimator(rate).push(tone(1000, rate))
    up = Interpolator(rate).push(tone(1000, 8000))
    assert rms(down) == pytest.approx(8000 / 2**0.5, rel=0.02)
    assert rms(up) == pytest.approx(8000 / 2**0.5, rel=0.02)


@pytest.mark.parametrize("rate", RATES)
def test_what_8_khz_cannot_carry_is_removed(rate):
    """A tone at 5.5 kHz would fold to 2.5 kHz: at least 45 dB must be gone."""
    assert rms(Decimator(rate).push(tone(5500, rate))) < 8000 / 2**0.5 / 178


@pytest.mark.parametrize("rate", RATES)
def test_the_image_above_4_khz_is_removed(rate):
    """Interpolating 1 kHz leaves no image at 7 kHz (45 dB down)."""
    samples = np.frombuffer(Interpolator(rate).push(tone(1000, 8000)), "<i2").astype(float)[800:]
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    hz = np.fft.rfftfreq(len(samples), 1 / rate)
    image = spectrum[(hz > 6500) & (hz < 7500)].max()
    assert image < spectrum.max() / 178


@pytest.mark.parametrize("rate", RATES)
def test_a_click_comes_out_within_two_milliseconds(rate):
    """The peak of an impulse is delayed by delay_ms, which is 1.5 ms, and nothing is held back beyond it."""
    pulse = np.zeros(rate // 10, dtype="<i2")
    pulse[rate // 50] = 20000
    decimator = Decimator(rate)
    out = np.frombuffer(decimator.push(pulse.tobytes()), "<i2")
    assert len(out) == 800
    assert abs(int(np.argmax(out)) - (160 + decimator.delay_ms * 8)) <= 1


@pytest.mark.parametrize("kind", [Decimator, Interpolator])
@given(cuts=st.lists(st.integers(1, 700), min_size=1, max_size=12), rate=st.sampled_from(RATES))
def test_pieces_of_any_size_give_the_same_sound(kind, cuts, rate):
    """Cutting the input elsewhere never changes the output."""
    pcm = tone(700, rate, 0.25)
    whole = kind(rate).push(pcm)
    stream = kind(rate)
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(stream.push(pcm[at : at + 2 * cut]))
        at += 2 * cut
    pieces.append(stream.push(pcm[at:]))
    got = np.frombuffer(b"".join(pieces), "<i2").astype(int)
    want = np.frombuffer(whole, "<i2").astype(int)
    assert len(got) == len(want)
    assert np.abs(got - want).max() <= 1


def test_loud_audio_clips_instead_of_wrapping():
    """A full-scale square wave overshoots in the filter and must not change sign."""
    square = (np.where(np.arange(4000) % 160 < 80, 32767, -32768)).astype("<i2").tobytes()
    out = np.frombuffer(Decimator(16000).push(square), "<i2")
    assert out[60:64].min() > 30000 or out[60:64].max() < -30000


@pytest.mark.parametrize("rate", [0, 44100, 104000, -8000])
def test_a_rate_that_is_no_multiple_is_refused(rate):
    """44.1 kHz and the like never come from the switch: say so instead of playing noise."""
    with pytest.raises(ValueError, match="8000"):
        Decimator(rate)
