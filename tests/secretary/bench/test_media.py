"""A small measurement must run to its end and give every figure that docs and CI rely on."""

from __future__ import annotations

import pytest

from eslbridge.media.contract import FRAME_BYTES
from secretary.bench import media, sounds

FIGURES = {
    "calls",
    "cpu_percent",
    "rss_mb",
    "rss_per_call_kb",
    "frames_in",
    "frames_out",
    "frames_lost",
    "send_jitter_ms",
    "stop_ms",
}


@pytest.mark.parametrize("transport", ["direct-udp-g711", "mod-audio-stream"])
def test_a_small_run_gives_every_figure(transport):
    """Six calls for a second and a half: real processes, real sockets, frames both ways."""
    result = media.run({"transport": transport, "calls": 6, "seconds": 1.5})
    assert set(result) >= FIGURES
    assert result["calls"] == 6
    assert result["frames_in"] >= 6 * 50 * 4
    assert result["frames_out"] > 0
    assert result["frames_lost_in"] == result["frames_lost_out"] == 0
    assert set(result["send_jitter_ms"]) == {"p50", "p95", "p99", "max"}


def test_no_calls_is_an_error():
    """Said at once, instead of a division by zero in the end."""
    with pytest.raises(RuntimeError, match="one call"):
        media.run({"transport": "direct-udp", "calls": 0, "seconds": 1})


def test_percentiles():
    """Of a hundred values, and of none."""
    assert media.percentiles([float(n) for n in range(101)]) == {"p50": 50, "p95": 95, "p99": 99, "max": 100}
    assert media.percentiles([]) == {}


def test_clips_are_telephone_speech():
    """16 bit mono 8 kHz, a few seconds each, with a beginning that can be found."""
    for clip in sounds.callers():
        assert 2 < len(clip) / 16000 < 5
        assert 0 <= sounds.onset_ms(clip) < 200
    assert {len(frame) for frame in sounds.frames(sounds.load("agent"))} == {FRAME_BYTES}
