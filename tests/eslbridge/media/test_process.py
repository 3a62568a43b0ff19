"""A process with a 20 ms clock must not wait 5 ms for each hand-over between threads."""

from __future__ import annotations

import gc
import sys

from eslbridge.media import process


def test_tuning_sets_what_it_says():
    """And can be taken back, which only a test would want."""
    interval, threshold = sys.getswitchinterval(), gc.get_threshold()
    try:
        process.tune()
        assert sys.getswitchinterval() <= 0.001
        assert gc.get_threshold()[0] > threshold[0] or threshold[0] > 10_000
        assert gc.get_freeze_count() > 0
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*threshold)
        gc.unfreeze()
