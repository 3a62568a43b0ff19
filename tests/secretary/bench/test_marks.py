"""A mark is found where it is, with its number, and nowhere else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eslbridge.media import codec
from secretary.bench import marks, sounds

NUMBERS = st.integers(0, 2**32 - 1)


@given(NUMBERS, st.integers(0, 100))
def test_mark_survives_both_forms(number: int, before: int) -> None:
    """Linear to mu-law and back: the provider's socket and the switch see the same number."""
    frame = bytes(2 * before) + marks.linear(number) + bytes(2 * (160 - before - marks.SIZE))
    assert marks.find_linear(frame) == number
    assert marks.find_ulaw(codec.encode(frame, "PCMU")) == number


@given(st.binary(max_size=400))
def test_garbage_is_no_trouble(noise: bytes) -> None:
    """Whatever comes, looking for a mark gives a number or nothing."""
    assert marks.find_ulaw(noise) is None or marks.MAGIC in noise
    assert marks.find_linear(noise[: len(noise) // 2 * 2]) is None or len(noise) >= 2 * marks.SIZE


def test_speech_holds_no_mark() -> None:
    """The clips of the measurement cannot be taken for marks."""
    for clip in [*sounds.callers(), sounds.load("agent")]:
        assert marks.find_linear(clip) is None
        assert marks.find_ulaw(codec.encode(clip, "PCMU")) is None


def test_mark_is_too_soft_to_be_heard() -> None:
    """48 dB below full scale, for two milliseconds."""
    loudest = max(
        abs(int.from_bytes(marks.linear(0xFFFF0000)[at : at + 2], "little", signed=True)) for at in range(0, 32, 2)
    )
    assert loudest <= 132
