"""The secretary's own voice, come back over a hands-free telephone, is not the caller's."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from secretary.audio.echo import LISTEN_MS, REFERENCE_MS, WINDOW_MS, EchoGuard
from secretary.bench import sounds

F64 = NDArray[np.float64]
LINE = np.array([0.1, 0.6, 1.0, 0.3, -0.2, -0.15, 0.05])
"""A small loudspeaker and a telephone line: what they do to a voice."""


@pytest.fixture(scope="module")
def voice() -> F64:
    """What the secretary says."""
    return np.frombuffer(sounds.load("agent"), "<i2").astype(np.float64)


@pytest.fixture(scope="module")
def caller() -> F64:
    clip = sounds.callers()[1]
    return np.frombuffer(clip, "<i2").astype(np.float64)[sounds.onset_ms(clip) * 8 :]


def pcm(samples: F64) -> bytes:
    return np.clip(samples, -32768, 32767).astype("<i2").tobytes()


def heard(voice: F64, at_ms: int) -> bytes:
    return pcm(voice[max(at_ms - REFERENCE_MS, 0) * 8 : at_ms * 8])


def echoed(voice: F64, at_ms: int, *, db: float, delay_ms: int, noise: float = 8) -> F64:
    """What the caller's line brought lately, with a little noise (RMS)."""
    end = (at_ms - delay_ms) * 8
    quiet = np.zeros(LISTEN_MS * 8)
    back = np.concatenate((quiet, np.convolve(voice[: end + 20], LINE)[:end]))[-LISTEN_MS * 8 :] * 10 ** (db / 20)
    return back + np.random.default_rng(at_ms).normal(0, noise, len(back))


def speaking(line: F64, spoken: F64) -> F64:
    """The same, with somebody who speaks at its end."""
    return line + np.concatenate((np.zeros(len(line) - len(spoken)), spoken))


def loudness(line: F64) -> float:
    return float(np.sqrt((line[-WINDOW_MS * 8 :] ** 2).mean()))


def moments(voice: F64) -> list[int]:
    """Where the secretary is loud, so that its echo is something."""
    loud = 0.3 * np.sqrt((voice**2).mean())
    return [ms for ms in range(1_400, 4_900, 90) if np.sqrt((voice[(ms - 500) * 8 : ms * 8] ** 2).mean()) > loud]


@pytest.mark.parametrize("db", [-10, -20, -30])
@pytest.mark.parametrize("delay_ms", [20, 130, 400])
def test_an_echo_is_known(voice: F64, db: float, delay_ms: int) -> None:
    """At any usual level and delay; where one moment is too coloured, the guard remembers what the echo is like."""
    guard = EchoGuard()
    judged = [
        guard.is_echo(pcm(back), heard(voice, ms))
        for ms in moments(voice)
        if loudness(back := echoed(voice, ms, db=db, delay_ms=delay_ms)) > 30
    ]
    assert len(judged) > 15 and np.mean(judged) >= 0.97


@pytest.mark.parametrize("db", [-10, -24])
@pytest.mark.parametrize("noise_dbfs", [-60, -50, -40])
def test_an_echo_in_noise_is_known(voice: F64, db: float, noise_dbfs: float) -> None:
    """Also where the noise is as loud as the echo, or drowns it."""
    guard, noise = EchoGuard(), 32_768 * 10 ** (noise_dbfs / 20)
    lines = (echoed(voice, ms, db=db, delay_ms=130, noise=noise) for ms in moments(voice))
    judged = [guard.is_echo(pcm(line), heard(voice, ms)) for line, ms in zip(lines, moments(voice), strict=True)]
    assert len(judged) > 15 and np.mean(judged) >= 0.97


@pytest.mark.parametrize("noise_dbfs", [-90, -50])
def test_an_echo_of_the_first_word_is_known(voice: F64, noise_dbfs: float) -> None:
    """When no more than a moment of a voice has been played, that is enough."""
    noise = 32_768 * 10 ** (noise_dbfs / 20)
    first = int(np.argmax(np.abs(voice) > 1_000)) // 8
    for ms in range(first + 120, first + 400, 40):
        line = echoed(voice[first * 8 :], ms - first, db=-16, delay_ms=40, noise=noise)
        assert EchoGuard().is_echo(pcm(line), heard(voice[first * 8 :], ms - first))


@pytest.mark.parametrize("noise_dbfs", [-60, -50])
def test_a_caller_in_noise_is_the_caller(voice: F64, caller: F64, noise_dbfs: float) -> None:
    """Who speaks over an echo in noise is heard; noise is no reason to hear nobody."""
    guard, noise = EchoGuard(), 32_768 * 10 ** (noise_dbfs / 20)
    lines = [echoed(voice, ms, db=-24, delay_ms=130, noise=noise) for ms in moments(voice)]
    judged = [
        guard.is_echo(pcm(speaking(line, caller[: WINDOW_MS * 8])), heard(voice, ms))
        for line, ms in zip(lines, moments(voice), strict=True)
    ]
    assert np.mean(judged) <= 0.05


def test_a_long_vowel_is_no_noise(voice: F64) -> None:
    """What sounds alike for half a second was not there before it began: it is the caller's."""
    guard = EchoGuard()
    line = np.random.default_rng(1).normal(0, 8, LISTEN_MS * 8)
    vowel = np.sign(np.sin(np.arange(LISTEN_MS * 8) * 2 * np.pi * 140 / 8_000)) * 3_000
    judged = [
        guard.is_echo(pcm(speaking(line, vowel[: length * 8])), heard(voice, 2_000 + length))
        for length in range(64, LISTEN_MS, 32)
    ]
    assert not any(judged)


@pytest.mark.parametrize("db", [-10, -20, -30])
def test_a_caller_over_an_echo_is_the_caller(voice: F64, caller: F64, db: float) -> None:
    """Who speaks for 160 ms over the echo is heard, also where the guard knows the echo."""
    guard = EchoGuard()
    for ms in moments(voice)[:10]:
        guard.is_echo(pcm(echoed(voice, ms, db=db, delay_ms=130)), heard(voice, ms))
    spoken = caller[: WINDOW_MS * 8]
    judged = [
        guard.is_echo(pcm(speaking(echoed(voice, ms, db=db, delay_ms=130), spoken)), heard(voice, ms))
        for ms in moments(voice)
    ]
    assert np.mean(judged) <= (0.25 if db == -10 else 0.05)


def test_a_caller_without_an_echo_is_not_one_for_long(voice: F64, caller: F64) -> None:
    """Two vowels may be alike for a moment; nobody is taken for an echo because of that."""
    judged = []
    quiet = np.random.default_rng(1).normal(0, 8, LISTEN_MS * 8)
    for start in range(0, 1_600, 160):
        guard = EchoGuard()
        for n, ms in enumerate(moments(voice)[:10]):
            spoken = caller[(start + 30 * n) * 8 :][: WINDOW_MS * 8]
            judged.append(guard.is_echo(pcm(speaking(quiet, spoken)), heard(voice, ms)))
    assert np.mean(judged) <= 0.03


def test_a_soft_voice_gets_through(voice: F64, caller: F64) -> None:
    """Who is no louder than the echo that is known is heard after a few moments, and not never."""
    guard = EchoGuard()
    for ms in moments(voice)[:10]:
        guard.is_echo(pcm(echoed(voice, ms, db=-10, delay_ms=130)), heard(voice, ms))
    soft = pcm(speaking(np.zeros(LISTEN_MS * 8), caller[: WINDOW_MS * 8] * 0.1))
    judged = [guard.is_echo(soft, heard(voice, ms)) for ms in moments(voice)[:12]]
    assert not any(judged[8:])


@pytest.mark.parametrize(("said", "played"), [(b"", b""), (bytes(2_560), bytes(10_240)), (b"\1\0" * 1_280, b"\1\0")])
def test_nothing_is_no_echo(said: bytes, played: bytes) -> None:
    """Silence, and too little of either."""
    assert not EchoGuard().is_echo(said, played)
