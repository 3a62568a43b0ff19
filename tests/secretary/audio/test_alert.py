"""On alert, while the secretary speaks: quick to suspect, quick to be sure, and never fooled by what is no speech."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

import secretary
from eslbridge.media.contract import FRAME_BYTES
from secretary.audio.turns import (
    SpeechEnded,
    SpeechLikely,
    SpeechProven,
    SpeechStarted,
    SpeechUnlikely,
    TurnDetector,
)
from secretary.audio.vad import VoiceActivity
from secretary.bench.sounds import callers, onset_ms

from . import sounds

W = 32


def follow(probabilities, detector=None):
    detector = detector or TurnDetector()
    detector.alert = True
    changes = ((n * W, detector.update(probability, n * W)) for n, probability in enumerate(probabilities, 1))
    return [(at, change) for at, change in changes if change is not None]


def test_the_stages_of_a_sentence():
    """Likely with the first window that may be speech, begun with the next, proven after 640 ms, ended by the pause."""
    changes = follow([0, 0.6, 0.9] + [0.9] * 30 + [0] * 30)
    assert [type(change) for _, change in changes] == [SpeechLikely, SpeechStarted, SpeechProven, SpeechEnded]
    assert [at for at, _ in changes[:2]] == [2 * W, 3 * W]
    assert 640 <= changes[2][0] - W < 640 + W and changes[3][0] - 33 * W >= 700


def test_a_certain_window_is_enough():
    """64 ms of audio and less from the onset."""
    assert follow([0, 0.95])[0] == (2 * W, SpeechStarted(W))


def test_what_is_only_likely_is_taken_back():
    """Soon, also when a doubtful sound goes on; and suspected again when there is quiet in between."""
    assert [type(one) for _, one in follow([0.45, 0, 0, 0])] == [SpeechLikely, SpeechUnlikely]
    changes = follow([0.45] * 40 + [0] * 10 + [0.45])
    assert [type(one) for _, one in changes] == [SpeechLikely, SpeechUnlikely, SpeechLikely]
    assert changes[1][0] <= 400


def test_a_short_burst_ends_soon_and_is_not_proven():
    """A cough is over 320 ms after its last sound; outside of alert it has the same pause as any turn."""
    burst = [0.9] * 5 + [0.0] * 40
    changes = follow(burst)
    assert [type(one) for _, one in changes] == [SpeechStarted, SpeechEnded]
    assert changes[1][0] - 5 * W <= 320 + W
    calm = TurnDetector()
    told = [n * W for n, probability in enumerate(burst, 1) if isinstance(calm.update(probability, n * W), SpeechEnded)]
    assert told[0] - 5 * W >= 700


def test_a_dismissed_sound_was_never_there():
    """An echo: what was suspected is taken back, and the next sound begins anew."""
    detector = TurnDetector()
    detector.alert = True
    assert isinstance(detector.update(0.6, W), SpeechLikely)
    assert isinstance(detector.dismiss(), SpeechUnlikely)
    assert not detector.speaking and detector.update(0.1, 2 * W) is None
    assert detector.update(0.95, 3 * W) == SpeechStarted(2 * W)


def listen(audio, offset_ms=0):
    """The first change of each kind, in ms of the audio."""
    engine, detector, now, first = VoiceActivity(2), TurnDetector(), 0, {}
    detector.alert = True

    def judged(probability):
        change = detector.update(probability, now)
        if change is not None:
            first.setdefault(type(change), now)

    slot = engine.open(judged)
    padded = np.concatenate([sounds.silence(1_000 + offset_ms), audio, sounds.silence(1_000)])
    pcm = (padded + sounds.noise(len(padded) // 8 + 1, 20, seed=9)[: len(padded)]).astype("<i2").tobytes()
    for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES):
        now += 20
        engine.feed(slot, pcm[at : at + FRAME_BYTES])
        engine.run()
    return first


def recorded():
    yield from callers()
    for path in sorted(Path(secretary.__path__[0], "demo", "callers").glob("*.wav")):
        with wave.open(str(path)) as file:
            yield file.readframes(file.getnframes())[:16_000]


def test_real_voices_are_noticed_and_told_in_time():
    """From the first sound, by energy: likely within 100 ms and begun within 120 ms at the median, 145 ms at p95."""
    likely, begun = [], []
    for clip in recorded():
        samples = np.frombuffer(clip, "<i2")
        for offset in (0, 7, 21):
            first = listen(samples, offset)
            onset = 1_000 + offset + onset_ms(clip)
            begun.append(first[SpeechStarted] - onset)
            likely.append(min(first.get(SpeechLikely, first[SpeechStarted]), first[SpeechStarted]) - onset)
    assert np.percentile(likely, 50) <= 80 and np.percentile(likely, 95) <= 110
    assert np.percentile(begun, 50) <= 100 and np.percentile(begun, 95) <= 130


@pytest.mark.parametrize(
    "audio",
    [
        pytest.param(sounds.dtmf(), id="dtmf"),
        pytest.param(np.concatenate([sounds.tone(941, 1336, ms=60), sounds.silence(200)] * 12), id="short keys"),
        pytest.param(sounds.ringback(2), id="ringback"),
        pytest.param(np.concatenate([sounds.tone(425, ms=250), sounds.silence(250)] * 8), id="busy"),
        pytest.param(sounds.noise(4000, 200), id="noise at -44 dBFS"),
        pytest.param(sounds.noise(4000, 2000), id="noise at -24 dBFS"),
        pytest.param(sounds.tone(262, 330, 392, ms=3000, peak=3000), id="chord"),
        pytest.param(np.tile(np.concatenate([sounds.noise(10, 12000), sounds.silence(490)]), 8), id="clicks"),
    ],
)
def test_what_is_no_speech_stops_nothing(audio):
    """Not even on alert."""
    assert SpeechStarted not in listen(audio)
