"""Whatever sizes a transport brings, the listener gets whole frames, in order, with nothing added."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eslbridge.media.contract import FRAME_BYTES
from eslbridge.media.frames import MAX_FRAMES_AT_ONCE, FrameCutter


@given(sizes=st.lists(st.integers(0, 3000), max_size=30), seed=st.integers(0, 2**16))
def test_any_cutting_gives_the_same_frames(sizes, seed):
    """Pieces of any size, odd ones too, come out as a prefix of the stream; less than one frame is held back."""
    stream = np.random.default_rng(seed).bytes(sum(sizes))
    cutter, frames, at = FrameCutter(), [], 0
    for size in sizes:
        frames += cutter.push(stream[at : at + size])
        at += size
    assert all(len(frame) == FRAME_BYTES for frame in frames)
    assert stream.startswith(b"".join(frames))
    assert len(stream) - len(frames) * FRAME_BYTES < FRAME_BYTES


def test_one_enormous_message_keeps_its_newest_three_seconds():
    """A flood in one message neither grows anything nor is silent: what is dropped is counted."""
    cutter = FrameCutter()
    frames = cutter.push(b"\x01" * FRAME_BYTES * 50 + b"\x02" * FRAME_BYTES * MAX_FRAMES_AT_ONCE)
    assert len(frames) == MAX_FRAMES_AT_ONCE
    assert frames[0][0] == 2
    assert cutter.dropped == 50


def test_a_whole_frame_is_passed_through_without_a_copy():
    """The common case costs nothing."""
    frame = bytes(FRAME_BYTES)
    assert FrameCutter().push(frame)[0] is frame
