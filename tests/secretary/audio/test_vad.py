"""Voice activity must hear speech at once and nothing else, for many calls that do not disturb each other."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from eslbridge.media.contract import FRAME_BYTES
from secretary.audio import vad
from secretary.audio.silero import find_model
from secretary.audio.turns import SpeechEnded, SpeechStarted, TurnDetector
from secretary.audio.vad import VoiceActivity

from . import sounds


class Call:
    """One call in an engine: feeds audio in frames, follows its turns on the audio's own time."""

    def __init__(self, engine: VoiceActivity, audio) -> None:
        self.engine = engine
        self.pcm = audio.astype("<i2").tobytes()
        self.at = 0
        self.now = 0
        self.probabilities: list[float] = []
        self.changes: list[tuple[int, object]] = []
        self.turns = TurnDetector()
        self.slot = engine.open(self.judged)

    def judged(self, probability: float) -> None:
        self.probabilities.append(probability)
        change = self.turns.update(probability, self.now)
        if change is not None:
            self.changes.append((self.now, change))

    def feed(self) -> bool:
        frame = self.pcm[self.at : self.at + FRAME_BYTES]
        if len(frame) < FRAME_BYTES:
            return False
        self.at += FRAME_BYTES
        self.now += 20
        self.engine.feed(self.slot, frame)
        return True

    @property
    def starts(self) -> int:
        return sum(isinstance(change, SpeechStarted) for _, change in self.changes)


def hear(audio, *, background: float = 20, **options) -> Call:
    call = Call(VoiceActivity(4, **options), audio + sounds.noise(len(audio) // 8, background, seed=9))
    while call.feed():
        call.engine.run()
    return call


def sentence(before_ms: int = 1000):
    return np.concatenate([sounds.silence(before_ms), sounds.spoken("eiau"), sounds.silence(1500)])


def test_the_model_comes_with_the_environment():
    """The wheel's data file is found without importing it (that would need torch)."""
    assert find_model() is not None


@pytest.mark.parametrize("before_ms", [1000, 1005, 1010, 1015])
def test_a_spoken_sentence_is_one_turn_told_within_150_ms(before_ms):
    """Onset to decision leaves room for the rest of the road within 200 ms."""
    call = hear(sentence(before_ms))
    assert [type(change) for _, change in call.changes] == [SpeechStarted, SpeechEnded]
    told, started = call.changes[0]
    assert told - before_ms <= 150
    assert abs(started.onset_ms - before_ms) <= 64
    assert abs(call.changes[1][1].last_sound_ms - (before_ms + 640)) <= 150


@pytest.mark.parametrize(
    "audio",
    [
        pytest.param(sounds.dtmf(), id="dtmf"),
        pytest.param(sounds.ringback(), id="ringback"),
        pytest.param(sounds.noise(5000, 200), id="noise at -44 dBFS"),
        pytest.param(sounds.noise(5000, 2000), id="noise at -24 dBFS"),
        pytest.param(sounds.tone(262, 330, 392, ms=4000, peak=3000), id="chord"),
        pytest.param(sounds.tone(50, 100, 150, ms=4000, peak=800), id="mains hum"),
        pytest.param(np.tile(np.concatenate([sounds.noise(10, 12000), sounds.silence(490)]), 10), id="clicks"),
    ],
)
def test_no_turn_on_what_is_not_speech(audio):
    """A key tone or a noisy line must not silence the secretary."""
    assert hear(audio).starts == 0


def test_silence_is_not_even_put_to_the_model():
    """The gate saves the work; probability is 0 all the same."""
    call = hear(sounds.silence(3000), background=5)
    assert call.engine.windows > 90
    assert call.engine.windows_judged == 0
    assert set(call.probabilities) == {0.0}


def test_steady_noise_closes_the_gate_in_time():
    """A fan at -44 dBFS is background after a while."""
    call = hear(sounds.noise(12000, 200))
    late = call.engine.windows_judged
    more = sounds.noise(3000, 200, seed=5).tobytes()
    for at in range(0, len(more), FRAME_BYTES):
        call.engine.feed(call.slot, more[at : at + FRAME_BYTES])
        call.engine.run()
    assert call.engine.windows_judged - late < 5


def test_calls_judged_together_are_judged_as_if_alone():
    """Slots do not leak into each other: same audio, same probabilities, alone or among others."""
    alone = hear(sentence())
    engine = VoiceActivity(64)
    noisy = sentence() + sounds.noise(len(sentence()) // 8, 20, seed=9)
    calls = [Call(engine, noisy if n % 3 == 0 else sounds.noise(3140, 500, seed=n)) for n in range(40)]
    while [call for call in calls if call.feed()]:
        engine.run()
    for call in calls[::3]:
        assert call.probabilities == pytest.approx(alone.probabilities, abs=1e-3)
    assert all(call.starts == 0 for n, call in enumerate(calls) if n % 3)


def test_frames_that_come_in_a_lump_are_judged_one_by_one():
    """After a stall of 100 ms nothing is lost and nothing is judged twice."""
    call = Call(VoiceActivity(4), sentence())
    going = True
    while going:
        for _ in range(5):
            going = call.feed()
        for _ in range(4):
            call.engine.run()
    assert call.engine.frames_dropped == 0
    assert len(call.probabilities) == call.at // 512
    assert call.starts == 1


def test_a_row_that_is_full_drops_and_counts():
    """Nobody ran the engine for long: bounded, and said."""
    call = Call(VoiceActivity(4), sounds.silence(1000))
    for _ in range(20):
        call.feed()
    assert call.engine.frames_dropped == 13


def test_a_used_slot_begins_anew():
    """The next call hears nothing of the one before."""
    engine = VoiceActivity(1)
    first = Call(engine, sounds.spoken("eiau"))
    while first.feed():
        engine.run()
    first.feed()
    engine.close(first.slot)
    engine.close(first.slot)
    assert engine.open_slots == 0
    second = Call(engine, sounds.silence(500))
    while second.feed():
        engine.run()
    assert set(second.probabilities) == {0.0}


def test_no_more_calls_than_slots():
    """A clear error instead of growth without bound."""
    engine = VoiceActivity(20)
    for _ in range(20):
        engine.open(lambda _: None)
    with pytest.raises(RuntimeError, match="20 slots"):
        engine.open(lambda _: None)


def test_a_callback_may_end_calls(caplog):
    """A conversation that ends in a judgement, and one that fails, leave the others alone."""
    engine = VoiceActivity(4)
    heard = []
    slots = {}

    def first(_):
        engine.close(slots["second"])
        raise RuntimeError("on purpose")

    slots["first"] = engine.open(first)
    slots["second"] = engine.open(lambda p: heard.append(("second", p)))
    slots["third"] = engine.open(lambda p: heard.append(("third", p)))
    for _ in range(2):
        for name in ("first", "second", "third"):
            engine.feed(slots[name], bytes(FRAME_BYTES))
    with caplog.at_level(logging.CRITICAL):
        engine.run()
    assert heard == [("third", 0.0)]
    assert engine.callback_errors == 1


def test_without_the_model_energy_stands_in_and_says_so_once(monkeypatch, caplog):
    """Speech still makes a turn; the log tells the operator what is missing."""
    monkeypatch.setattr(vad, "find_model", lambda: None)
    call = hear(sentence())
    assert not call.engine.uses_model
    assert [type(change) for _, change in call.changes] == [SpeechStarted, SpeechEnded]
    assert call.changes[0][0] - 1000 <= 160
    assert hear(sounds.noise(4000, 60), energy_only=True).starts == 0
    assert caplog.text.count("no voice activity model") == 1


def test_a_broken_model_file_falls_back_too(tmp_path, caplog):
    """A damaged installation answers calls all the same."""
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"not a model")
    engine = VoiceActivity(4, model=path)
    assert not engine.uses_model
    assert "cannot be loaded" in caplog.text
