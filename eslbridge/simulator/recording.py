"""A stereo WAV of what one telephone said and heard: caller on the left, secretary on the right."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from eslbridge.simulator.audio import FRAME_BYTES, RATE, SILENCE

_FLUSH_FRAMES = 50
MAX_SECONDS = 3600


class StereoRecording:
    """Both sides frame by frame, so they stay aligned to the 20 ms; written once a second. Bounded by MAX_SECONDS."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.frames = 0
        self.masked = False
        """Silence is written."""
        self._left: list[bytes] = []
        self._right: list[bytes] = []
        self._file = wave.open(str(self.path), "wb")
        self._file.setnchannels(2)
        self._file.setsampwidth(2)
        self._file.setframerate(RATE)
        self._open = True

    def write(self, said: bytes, heard: bytes | None) -> None:
        """One 20 ms frame of each side; None is silence."""
        if not self._open or self.frames >= MAX_SECONDS * 50:
            return
        self.frames += 1
        if self.masked:
            said, heard = SILENCE, None
        self._left.append(said)
        self._right.append(heard if heard is not None and len(heard) == FRAME_BYTES else SILENCE)
        if len(self._left) >= _FLUSH_FRAMES:
            self._flush()

    def _flush(self) -> None:
        if self._left:
            left = np.frombuffer(b"".join(self._left), dtype="<i2")
            right = np.frombuffer(b"".join(self._right), dtype="<i2")
            self._file.writeframesraw(np.column_stack((left, right)).tobytes())
            self._left.clear()
            self._right.clear()

    def close(self) -> None:
        """Finish the file. Idempotent."""
        if self._open:
            self._flush()
            self._open = False
            self._file.close()
