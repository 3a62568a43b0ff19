"""Every transport keeps the same promises: the conversation must not notice which one carries it."""

from __future__ import annotations

import numpy as np
import pytest

from eslbridge.media import codec
from eslbridge.media.contract import FRAME_BYTES, MAX_LEAD_MS, MAX_QUEUED_MS

from .rigs import RIGS

LATEST_START_MS = 200
"""From `play` to the caller's ear: one tick on most transports, a short wait for a longer file on the community's."""


@pytest.fixture(params=list(RIGS))
def rig(request, clock, counters):
    rig = RIGS[request.param](clock, counters)
    rig.name = request.param
    yield rig
    rig.leg.close()
    rig.finish()


def voice(ms: int, seed: int = 1) -> bytes:
    """Noise that G.711 carries unchanged, and that holds no zero."""
    samples = np.random.default_rng(seed).integers(1000, 8000, ms * 8).astype("<i2").tobytes()
    return codec.decode(codec.encode(samples, "PCMU"), "PCMU")


def test_it_is_named_as_the_domain_names_it(rig):
    """The name in the record and in the metrics."""
    assert rig.leg.transport == rig.name


def test_the_caller_is_heard_frame_by_frame(rig, listener):
    """Whole frames, in order, only after somebody listens."""
    rig.caller(voice(20, 9))
    rig.leg.listen(listener)
    for seed in range(3):
        rig.caller(voice(20, seed))
    assert listener.frames == [voice(20, seed) for seed in range(3)]
    assert rig.counters.frames_unheard == 1


@pytest.mark.parametrize("pieces", [[1000], [20] * 50, [7, 333, 1, 659], [30]])
def test_voice_is_heard_whole_once_and_in_order(rig, listener, pieces):
    """Whatever the size of the pieces given to `play`."""
    rig.leg.listen(listener)
    whole = voice(sum(pieces))
    at = 0
    for piece in pieces:
        assert rig.leg.play(whole[at : at + piece * 16]) == piece * 16
        at += piece * 16
    rig.run(sum(pieces) + 600)
    assert rig.voice_heard == whole.strip(b"\0")
    assert rig.leg.heard_ms == sum(pieces)
    assert rig.leg.queued_ms == 0
    assert listener.drained == 1


def test_voice_begins_soon(rig):
    """A greeting must not wait for its end."""
    rig.leg.play(voice(2000))
    rig.run(LATEST_START_MS)
    assert rig.voice_heard


def test_no_gap_within_one_utterance_given_in_sentences(rig):
    """A second sentence that comes while the first plays follows it without silence between."""
    first, second = voice(900, 1), voice(700, 2)
    rig.leg.play(first)
    rig.run(400)
    rig.leg.play(second)
    rig.run(1900)
    assert first + second in rig.ear


def test_heard_follows_the_ear(rig):
    """At any moment the account differs from what the far end has played by the lead at most."""
    rig.leg.play(voice(1500))
    for _ in range(100):
        rig.run(20)
        assert abs(rig.leg.heard_ms - len(rig.voice_heard) // 16) <= MAX_LEAD_MS
        assert rig.leg.heard_ms + rig.leg.queued_ms == 1500


def test_stop_is_immediate(rig, listener):
    """At most 60 ms are heard after it; none where the far end can be told to forget."""
    rig.leg.listen(listener)
    rig.leg.play(voice(5000))
    rig.run(1000)
    heard = len(rig.voice_heard)
    rig.leg.stop()
    assert rig.leg.queued_ms <= MAX_LEAD_MS
    rig.run(600)
    late_ms = (len(rig.voice_heard) - heard) // 16
    assert late_ms <= (20 if rig.forgets_at_once else MAX_LEAD_MS)
    assert abs(rig.leg.heard_ms - len(rig.voice_heard) // 16) <= MAX_LEAD_MS
    assert rig.leg.queued_ms == 0
    assert listener.drained == 0


def test_stop_with_nothing_to_stop_is_harmless(rig, listener):
    """Before anything was said, and twice."""
    rig.leg.listen(listener)
    rig.leg.stop()
    rig.leg.stop()
    rig.run(200)
    rig.leg.play(voice(300))
    rig.run(900)
    assert rig.voice_heard == voice(300)
    assert listener.drained == 1


def test_the_next_utterance_after_a_stop_stands_alone(rig, listener):
    """Nothing of what was stopped is heard in it, and the scale goes on from what was heard."""
    rig.leg.listen(listener)
    rig.leg.play(voice(3000, 1))
    rig.run(700)
    rig.leg.stop()
    rig.run(100)
    start = rig.leg.heard_ms + rig.leg.queued_ms
    played = len(rig.ear)
    rig.leg.play(voice(500, 2))
    rig.run(1300)
    assert rig.ear[played:].strip(b"\0") == voice(500, 2)
    assert rig.leg.heard_ms == start + 500
    assert listener.drained == 1


def test_play_right_after_stop_is_heard(rig):
    """An answer that is ready at once is not lost in the stop."""
    rig.leg.play(voice(3000, 1))
    rig.run(700)
    rig.leg.stop()
    rig.leg.play(voice(500, 2))
    rig.run(1500)
    assert voice(500, 2) in rig.ear


def test_duck_turns_down_what_follows(rig):
    """The first stage of a barge-in; a transport of whole files can do so with the next file only."""
    rig.leg.duck(0.25)
    rig.leg.play(voice(400))
    rig.run(1000)
    heard = np.frombuffer(rig.voice_heard, "<i2").astype(float)
    assert np.abs(heard).max() < 0.27 * 8000
    assert np.abs(heard).mean() == pytest.approx(0.25 * np.abs(np.frombuffer(voice(400), "<i2")).mean(), rel=0.1)


def test_play_refuses_what_exceeds_two_minutes(rig):
    """And says how much it took."""
    assert rig.leg.play(bytes(MAX_QUEUED_MS * 16)) == MAX_QUEUED_MS * 16
    assert rig.leg.play(bytes(320)) == 0
    assert rig.counters.voice_refused_bytes == 320


def test_a_broken_road_is_told_once(rig, listener):
    """And then the leg takes no more voice."""
    rig.leg.listen(listener)
    rig.lose()
    rig.lose()
    assert len(listener.lost) == 1
    assert rig.leg.play(voice(20)) == 0
    assert len(rig.clock) == 0


def test_close_is_final_and_idempotent(rig, listener):
    """No callback afterwards, no place on the clock."""
    done = []
    rig.leg.on_close(lambda: done.append(1))
    rig.leg.listen(listener)
    rig.leg.play(voice(1000))
    rig.run(200)
    rig.leg.close()
    rig.leg.close()
    rig.lose()
    rig.run(100)
    assert (listener.drained, listener.lost, done) == (0, [], [1])
    assert rig.leg.play(voice(20)) == 0
    assert len(rig.clock) == 0


def test_a_listener_that_fails_ends_its_own_leg_only(rig, listener, counters):
    """The error is logged and counted, and the conversation is told that its audio is gone."""

    def fail(_frame):
        raise RuntimeError("on purpose")

    listener.on_frame = fail
    rig.leg.listen(listener)
    rig.caller(voice(20))
    rig.caller(voice(20))
    assert len(listener.lost) == 1
    assert counters.listener_errors >= 1


def test_a_close_within_drained_is_safe(rig, listener):
    """The conversation hangs up when its farewell has been heard."""
    listener.on_drained = rig.leg.close
    rig.leg.listen(listener)
    rig.leg.play(voice(200))
    rig.run(1200)
    assert rig.leg.closed
    assert rig.voice_heard == voice(200)


def test_frames_given_out_are_frames(rig, listener):
    """Exactly FRAME_BYTES, whatever the transport brings."""
    rig.leg.listen(listener)
    for _ in range(4):
        rig.caller(voice(20))
    assert {len(frame) for frame in listener.frames} == {FRAME_BYTES}
