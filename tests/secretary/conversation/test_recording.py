"""What was said is what the file holds, as it was heard."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from secretary.conversation.ear import Ear
from secretary.conversation.recording import CallRecording, Disk, MessageAudio


@pytest.fixture
def disk() -> Disk:
    return Disk()


def frame(value: int) -> bytes:
    return np.full(160, value, "<i2").tobytes()


def tracks(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getsampwidth()) == (8_000, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())


def test_both_sides_lie_where_they_were_heard(tmp_path: Path, disk: Disk) -> None:
    """Voice queued at 1,000 ms lies right at 1,000 ms, beside the caller left."""
    recording = CallRecording(tmp_path / "call.wav", disk)
    for n in range(150):
        if n == 50:
            recording.played(frame(7) * 25, 1_000)
        recording.caller(frame(3), 20 * (n + 1))
    recording.close(3_000).result(5)
    both = tracks(tmp_path / "call.wav")
    assert len(both) == 24_000
    assert (both[:, 0] == 3).all()
    assert (both[8_000:12_000, 1] == 7).all()
    assert not both[:8_000, 1].any() and not both[12_000:, 1].any()


def test_interrupted_voice_ends_where_it_was_stopped(tmp_path: Path, disk: Disk) -> None:
    """What the caller did not hear is not in the recording."""
    recording = CallRecording(tmp_path / "call.wav", disk)
    recording.played(frame(7) * 500, 0)
    for n in range(50):
        recording.caller(frame(3), 20 * (n + 1))
        if n == 24:
            recording.stopped(500)
    recording.close(1_000).result(5)
    right = tracks(tmp_path / "call.wav")[:, 1]
    assert (right[:4_000] == 7).all() and not right[4_000:].any()


def test_voice_that_begins_behind_what_is_written_loses_no_call(tmp_path: Path, disk: Disk) -> None:
    """A caller's burst may be on the disk before the clock gets there: the voice then begins where there is room."""
    recording = CallRecording(tmp_path / "call.wav", disk)
    for n in range(50):
        recording.caller(frame(3), 20 * (n + 1) - 200)
    recording.played(frame(7) * 10, 810)
    for n in range(50, 100):
        recording.caller(frame(3), 20 * (n + 1) - 200)
    recording.close(2_000).result(5)
    assert (tracks(tmp_path / "call.wav")[:, 1] == 7).sum() == 1_600


def test_a_gap_in_the_callers_audio_stays_a_gap(tmp_path: Path, disk: Disk) -> None:
    """Lost or missing frames do not pull later ones forward."""
    recording = CallRecording(tmp_path / "call.wav", disk)
    recording.caller(frame(3), 20)
    recording.caller(frame(5), 1_020)
    recording.close(1_020).result(5)
    left = tracks(tmp_path / "call.wav")[:, 0]
    assert (left[:160] == 3).all() and (left[8_000:] == 5).all() and not left[160:8_000].any()


def test_a_message_can_be_played_while_it_is_written(tmp_path: Path, disk: Disk) -> None:
    """A node that dies in the middle of a message leaves a file that plays."""
    message = MessageAudio(tmp_path / "m.wav", disk)
    for _ in range(120):
        message.add(frame(9))
    disk.close()
    assert len(tracks(tmp_path / "m.wav")) == 2 * 8_000


def test_a_disk_that_is_too_slow_is_bounded(tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written is dropped and counted, never piled up."""
    for _ in range(2_000):
        disk._room.acquire(blocking=False)
    message = MessageAudio(tmp_path / "m.wav", disk)
    for _ in range(50):
        message.add(frame(9))
    assert disk.dropped == 1


def test_the_ear_keeps_the_moment_before_the_onset() -> None:
    """A turn begins 300 ms before it was noticed, and the ear forgets the rest."""
    ear = Ear()
    for n in range(100):
        ear.add(frame(n))
    ear.begin()
    for n in range(100, 150):
        ear.add(frame(n))
    pcm = np.frombuffer(ear.end(), "<i2")
    assert pcm[0] == 75 and pcm[-1] == 149 and len(pcm) == 75 * 160
    ear.begin()
    assert ear.end() == b""
