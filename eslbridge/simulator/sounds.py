"""What `playback` can play: files, silence, tones, hold music."""

from __future__ import annotations

import os
import re

from eslbridge.simulator.audio import RATE, read_file, tone

_TONE = re.compile(r"%\((\d+),(\d+),([\d.]+)(?:,[\d.]+)*\)")
ENDLESS_MS = 3_600_000


def find(name: str) -> bytes:
    """L16 8,000 Hz of a playback argument. Raises `FileNotFoundError`, `OSError` or `ValueError`."""
    if name.startswith("silence_stream://"):
        wanted = int(name.removeprefix("silence_stream://").split(",")[0] or 0)
        return bytes(16 * (ENDLESS_MS if wanted < 0 else wanted))
    if name.startswith("tone_stream://"):
        once = b"".join(tone(int(on), float(hz)) + bytes(16 * int(off)) for on, off, hz in _TONE.findall(name))
        loops = re.search(r"loops=(-?\d+)", name)
        times = int(loops.group(1)) if loops else 1
        return (once or bytes(320)) * (times if times >= 0 else max(1, ENDLESS_MS * 16 // max(len(once), 320)))
    if name.startswith("local_stream://"):
        return (tone(400, 392.0, 0.1) + tone(400, 494.0, 0.1) + bytes(RATE)) * 20
    if name.startswith("file_string://"):
        return b"".join(find(part) for part in name.removeprefix("file_string://").split("!"))
    if not os.path.exists(name):
        raise FileNotFoundError(name)
    return read_file(name)
