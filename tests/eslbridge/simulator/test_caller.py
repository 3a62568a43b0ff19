"""The scripted caller, frame by frame, and its stereo recording."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from eslbridge.simulator.audio import FRAME_BYTES, SILENCE, peak, tone
from eslbridge.simulator.caller import At, Caller, Say, Span, WaitSilence, WaitVoice
from eslbridge.simulator.playout import MAX_FRAMES, Playout

VOICE = tone(20, 400.0)


def talk(caller: Caller, secretary: str, *, unit_ms: int = 100) -> str:
    """Play a line of `#` (voice) and `.` (silence), one character each `unit_ms`; returns the caller's own line."""
    line = ""
    for mark in secretary:
        spoke = False
        for _ in range(unit_ms // 20):
            spoke |= peak(caller.next_frame()) > 0
            caller.hear(VOICE if mark == "#" else None)
        line += "#" if spoke else "."
    return line


def test_waits_for_silence_after_voice() -> None:
    """The caller speaks 300 ms after the secretary stopped, not in the silence before she began."""
    caller = Caller([WaitSilence(300), Say(tone(200, 300.0))])
    assert talk(caller, "........####.........") == "...............##...."
    assert caller.said == [Span(1500, 1700)]
    assert caller.heard == [Span(800, 1200)]


def test_speaks_at_a_moment_and_interrupts() -> None:
    """`At` counts from the answer; `WaitVoice` breaks into the secretary's voice."""
    caller = Caller([At(500), Say(tone(200, 300.0)), WaitVoice(300), Say(tone(100, 300.0))])
    assert talk(caller, "..........#####.....") == ".....##......#......"
    assert caller.overlaps_ms() == [100]


def test_breaks_off_in_mid_sentence() -> None:
    """`cut_ms` ends what is being said."""
    caller = Caller([Say(tone(1000, 300.0), cut_ms=300)])
    assert talk(caller, "." * 8) == "###....."


def test_answer_gaps() -> None:
    """From the end of what the caller said to the secretary's next word."""
    caller = Caller([Say(tone(200, 300.0))])
    talk(caller, "......###......")
    caller.hung_up("NORMAL_CLEARING")
    assert caller.answer_gaps_ms() == [400]
    assert caller.first_voice_ms == 600


def test_recording_is_aligned(tmp_path: Path) -> None:
    """Left is what the caller said, right what the caller heard, sample by sample on one time line."""
    path = tmp_path / "call.wav"
    said = tone(200, 300.0)
    caller = Caller([At(400), Say(said)], recording=path)
    talk(caller, "..##..............................................................")
    caller.hung_up("NORMAL_CLEARING")
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, 8000, 2)
        assert file.getnframes() == 66 * 800
        stereo = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)
    assert stereo[3200 : 3200 + len(said) // 2, 0].tobytes() == said
    assert not stereo[:3200, 0].any()
    assert stereo[1600:3200, 1].tobytes() == VOICE * 10
    assert not stereo[3200:, 1].any()


def test_playout_holds_one_frame_and_drops_bursts() -> None:
    """Playing starts with the second frame, or a turn later; a gap is silence and is counted; bursts are bounded."""
    playout = Playout()
    playout.push(VOICE)
    assert playout.pop() is None
    assert playout.pop() == VOICE
    assert playout.pop() is None
    assert playout.gaps == 1
    playout.push(VOICE * (MAX_FRAMES + 5))
    assert playout.dropped == 5
    assert [playout.pop() for _ in range(MAX_FRAMES)] == [VOICE] * MAX_FRAMES
    playout.push(b"\x01\x02")
    tail = playout.pop()
    assert tail is not None
    assert len(tail) == FRAME_BYTES == len(SILENCE)
