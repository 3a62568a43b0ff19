"""`manage.py bench esl` in small: it runs, ends, and its figures are those of what it did."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command


def test_a_small_measurement() -> None:
    """Every connection is set up and stays, every event arrives, and the last line is the result as JSON."""
    out = io.StringIO()
    call_command("bench", "esl", "--connections=40", "--rate=400", "--seconds=0.3", "--talkers=5", "--json", stdout=out)
    result = json.loads(out.getvalue().splitlines()[-1])
    assert (result["connections"], result["open"], result["events_lost"]) == (40, 40, 0)
    assert 7000 <= result["channel_data_bytes"] <= 8000 and 7000 <= result["event_bytes"] <= 8000
    assert result["events_per_s"] > 0 and 0 < result["setup_ms"]["p50"] <= result["setup_ms"]["p99"]
    assert "rss_per_1000_mb" in result


def test_nonsense_is_refused() -> None:
    with pytest.raises(CommandError):
        call_command("bench", "esl", "--connections=0")
    with pytest.raises(CommandError):
        call_command("bench", "speech")
