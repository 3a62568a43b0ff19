"""What the caller has heard is the truth: the queue must account for every byte."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eslbridge.media.contract import FRAME_BYTES, MAX_LEAD_MS, MAX_QUEUED_MS
from eslbridge.media.playqueue import PlayQueue


def voice(ms: int, level: int = 1000) -> bytes:
    return np.full(ms * 8, level, dtype="<i2").tobytes()


def play_out(queue: PlayQueue) -> tuple[bytes, int]:
    """Run the queue dry; returns what left and how often it said `drained`."""
    out, drained = b"", 0
    for _ in range(10_000):
        if not queue.active:
            break
        drained += queue.tick()
        while queue.has_room_on_road():
            frame = queue.take()
            assert frame is not None
            out += frame
    return out, drained


@given(sizes=st.lists(st.integers(0, 2000), max_size=25), lead=st.integers(1, 3))
def test_every_sample_leaves_once_and_in_order(sizes, lead):
    """Pieces of any size come out as one voice, padded at the end only, all of it heard."""
    queue = PlayQueue(lead)
    pieces = [np.arange(n, dtype="<i2").tobytes() for n in sizes]
    for piece in pieces:
        assert queue.play(piece) == len(piece)
    total = sum(map(len, pieces))
    assert queue.heard_ms + queue.queued_ms == total // 16
    out, drained = play_out(queue)
    assert out.startswith(b"".join(pieces))
    assert not any(out[total:])
    assert len(out) == -(-total // FRAME_BYTES) * FRAME_BYTES
    assert queue.heard_ms == total // 16
    assert queue.queued_ms == 0
    assert drained == (1 if total else 0)


def test_a_fade_never_exceeds_the_lead():
    """With nearly 60 ms on the road there is no room for 10 ms of fading: the voice is cut without it."""
    queue = PlayQueue(3)
    queue.play(bytes(2 * 479))
    while queue.has_room_on_road():
        queue.take()
    queue.play(bytes(2 * 500))
    queue.stop(fade=True)
    assert queue.queued_ms == 59


@given(
    acts=st.lists(
        st.one_of(
            st.tuples(st.just("play"), st.integers(0, 500)),
            st.tuples(st.just("tick"), st.just(0)),
            st.tuples(st.just("stop"), st.booleans()),
            st.tuples(st.just("duck"), st.sampled_from([0.0, 0.3, 1.0])),
        ),
        max_size=80,
    ),
    lead=st.integers(1, 3),
)
def test_heard_never_falls_and_never_exceeds_what_was_played(acts, lead):
    """Whatever happens in whatever order."""
    queue = PlayQueue(lead)
    heard = accepted = 0
    for act, amount in acts:
        if act == "play":
            accepted += queue.play(bytes(amount * 2))
        elif act == "stop":
            queue.stop(fade=bool(amount))
            assert queue.queued_ms <= MAX_LEAD_MS
        elif act == "duck":
            queue.duck(float(amount))
        else:
            queue.tick()
            while queue.has_room_on_road():
                queue.take()
        assert queue.heard_ms >= heard
        heard = queue.heard_ms
        assert heard * 16 <= accepted
        assert queue.road_ms <= MAX_LEAD_MS
        assert queue.queued_ms >= 0


def test_half_a_sample_is_refused():
    """Odd bytes would turn the rest of the call into noise."""
    with pytest.raises(ValueError, match="whole samples"):
        PlayQueue().play(b"\0\0\0")


def test_more_than_the_bound_is_not_accepted():
    """The caller of `play` is told how much was taken, and the queue holds no more than two minutes."""
    queue = PlayQueue()
    assert queue.play(voice(MAX_QUEUED_MS - 10)) == (MAX_QUEUED_MS - 10) * 16
    assert queue.play(voice(100)) == 160
    assert queue.play(voice(1)) == 0
    assert queue.queued_ms == MAX_QUEUED_MS


def test_many_crumbs_do_not_make_a_long_list():
    """A provider that sends one sample at a time costs no more memory than its audio."""
    queue = PlayQueue()
    for _ in range(5000):
        queue.play(b"\1\1")
    assert len(queue._chunks) <= 5
    assert play_out(queue)[0][:10000] == b"\1" * 10000


def test_stop_with_a_fade_ends_in_silence_within_one_frame():
    """After `stop` at most one more frame leaves; its voice sinks to nothing in 10 ms instead of clicking."""
    queue = PlayQueue()
    queue.play(voice(200))
    queue.tick()
    queue.take()
    queue.stop(fade=True)
    assert queue.queued_ms == 30
    queue.tick()
    last = np.frombuffer(queue.take(), "<i2")
    assert last[0] > 900
    assert (np.diff(last[:80].astype(int)) <= 0).all()
    assert not last[80:].any()
    assert queue.take() is None
    assert queue.tick() is False
    assert queue.heard_ms == 30


def test_drained_is_not_said_after_stop_but_is_said_again_later():
    """A stop belongs to the conversation; the next utterance drains as usual."""
    queue = PlayQueue()
    queue.play(voice(100))
    queue.tick()
    queue.take()
    queue.stop(fade=True)
    assert play_out(queue)[1] == 0
    queue.play(voice(40))
    assert play_out(queue)[1] == 1


def test_an_utterance_stands_where_the_scale_said_it_would():
    """Queued when heard + queued was x, it occupies [x, x + length)."""
    queue = PlayQueue()
    queue.play(voice(100, 100))
    start = queue.heard_ms + queue.queued_ms
    queue.play(voice(60, 200))
    for _ in range(20):
        queue.tick()
        frame = queue.take()
        if frame is not None and frame[0] == 200:
            break
    assert queue.heard_ms == start == 100


def test_new_voice_begins_at_its_gain():
    """After a voice that was turned down and cut, the next one does not fade in: its first sound is whole."""
    queue = PlayQueue()
    queue.play(voice(200, 10000))
    queue.tick()
    queue.take()
    queue.duck(0.25)
    queue.take()
    queue.stop()
    queue.duck(1.0)
    while queue.active:
        queue.tick()
    queue.play(voice(40, 10000))
    assert set(np.frombuffer(queue.take(), "<i2")) == {10000}


def test_duck_ramps_and_then_stays():
    """The gain reaches its value over one frame, without a step, and returns the same way."""
    queue = PlayQueue()
    queue.play(voice(200, 10000))
    queue.tick()
    assert np.frombuffer(queue.take(), "<i2").min() == 10000
    queue.duck(0.25)
    ramp = np.frombuffer(queue.take(), "<i2")
    assert ramp[0] == 10000
    assert abs(np.diff(ramp.astype(int))).max() < 100
    assert set(np.frombuffer(queue.take(), "<i2")) == {2500}
    queue.duck(1.0)
    queue.take()
    assert set(np.frombuffer(queue.take(), "<i2")) == {10000}


@pytest.mark.parametrize("gain", [-0.1, 1.5])
def test_a_gain_outside_its_range_is_refused(gain):
    """Louder than given would clip."""
    with pytest.raises(ValueError, match="gain"):
        PlayQueue().duck(gain)


def test_a_shared_prompt_is_not_copied():
    """A hundred calls that play the same greeting hold it once."""
    prompt = voice(1000)
    queue = PlayQueue()
    queue.play(prompt)
    assert queue._chunks[0] is prompt


@given(sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=10), limit_ms=st.integers(1, 200))
def test_a_transport_of_whole_files_takes_pieces(sizes, limit_ms):
    """`take_piece` cuts the same voice into lengths of its own, from where the transport says what was heard."""
    queue = PlayQueue()
    pieces = [np.full(n, n, dtype="<i2").tobytes() for n in sizes]
    for piece in pieces:
        queue.play(piece)
    out = []
    while queue.queued_ms > queue.road_ms or not out:
        out.append(queue.take_piece(limit_ms))
    out.append(queue.take_piece(limit_ms))
    assert b"".join(out) == b"".join(pieces)
    assert max(map(len, out)) <= limit_ms * 16


def test_what_the_far_end_forgot_is_not_heard():
    """Heard up to the stop, and no further."""
    queue = PlayQueue()
    queue.play(voice(150))
    assert len(queue.take_piece(1000)) == 150 * 16
    assert queue.queued_ms == queue.road_ms == 150
    queue.hear(70 * 16)
    queue.lose_road()
    assert queue.heard_ms == 70
    assert queue.queued_ms == 0
