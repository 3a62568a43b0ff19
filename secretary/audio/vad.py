"""Voice activity of all calls of a node, judged together in each phase of the media clock.

A call owns a slot. `feed` copies a frame into the slot's row (no more, because it runs 50 times a second for each
call); `run` takes every slot that has a whole window of 32 ms, lets those pass that are loud enough against their own
background, judges them in one batch, and calls back slot by slot.

The gate in front of the model saves two thirds of the work: on a telephone somebody is silent most of the time. It
stays open for half a second after the last loud window, so that the model sees how words end; what it shuts out has
probability 0. Its background level falls at once and rises slowly, so steady noise closes it and speech does not.

Everything runs on the event loop, in the thread of the clock: at 16 microseconds a window a phase of 500 calls takes
0.5 ms, less than a hand-over to a thread and back costs when both share one core.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eslbridge.media.contract import FRAME_BYTES

from .silero import CONTEXT, F32, STATE, WINDOW, Silero, find_model
from .turns import WINDOW_MS

Judged = Callable[[float], None]
"""Takes the probability (0..1) that the window that just ended holds speech; once for each 32 ms of audio."""

BATCH: Final = 192
"""The most windows judged in one phase (3 ms of work if everybody speaks); more wait 5 ms."""
_ROW: Final = CONTEXT + WINDOW + 6 * FRAME_BYTES // 2
"""A window, its context, and six frames that came while nobody ran."""
_WINDOW_BYTES: Final = 2 * WINDOW
_GATE_OVER_FLOOR_DB: Final = 6.0
_GATE_LOWEST_DBFS: Final = -58.0
_FLOOR_HIGHEST_DBFS: Final = -40.0
_FLOOR_LOWEST_DBFS: Final = -75.0
_FLOOR_RISES_DB: Final = 0.05
"""Each window: 1.6 dB a second."""
_HANG_WINDOWS: Final = 500 // WINDOW_MS
_LOUD_OVER_FLOOR_DB: Final = 12.0
_LOUD_LOWEST_DBFS: Final = -45.0
_LOUD: Final = 0.6
"""What the energy detector says of a loud window: speech, but never surely so."""

log = logging.getLogger(__name__)


class VoiceActivity:
    """`slots` is the most calls at a time. `model` is a path, or None for the plain energy detector."""

    def __init__(self, slots: int = 1024, *, model: Path | None = None, energy_only: bool = False) -> None:
        self._silero = None if energy_only else _load(model)
        self._slots = slots
        self._free: list[int] = []
        self._judged: list[Judged | None] = []
        self._rows: list[memoryview] = []
        self._fill: list[int] = []
        self._ready: list[int] = []
        self._failed: set[int] = set()
        self._pcm: NDArray[np.int16] = np.zeros((0, _ROW), dtype=np.int16)
        self._state: F32 = np.zeros((2, 0, STATE), dtype=np.float32)
        self._floor: F32 = np.zeros(0, dtype=np.float32)
        self._hang: NDArray[np.int32] = np.zeros(0, dtype=np.int32)
        self.frames_dropped = 0
        """Frames that found their row full, because `run` was not called for more than 120 ms."""
        self.windows = 0
        self.windows_judged = 0
        """Windows that passed the gate and were put to the model."""
        self.callback_errors = 0

    @property
    def uses_model(self) -> bool:
        return self._silero is not None

    @property
    def open_slots(self) -> int:
        return len(self._judged) - len(self._free)

    def open(self, judged: Judged) -> int:
        """A slot for one call. Raises RuntimeError when all are taken."""
        if not self._free:
            self._grow()
        slot = self._free.pop()
        self._judged[slot] = judged
        self._fill[slot] = 0
        self._pcm[slot] = 0
        self._state[:, slot] = 0
        self._floor[slot] = _FLOOR_LOWEST_DBFS + 15
        self._hang[slot] = 0
        self._failed.discard(slot)
        return slot

    def close(self, slot: int) -> None:
        """Give the slot back; nobody is called for it any more. Idempotent until the slot is opened again."""
        if self._judged[slot] is not None:
            self._judged[slot] = None
            self._fill[slot] = 0
            if slot in self._ready:
                self._ready.remove(slot)
            self._free.append(slot)

    def feed(self, slot: int, frame: bytes) -> None:
        """One frame of FRAME_BYTES."""
        fill = self._fill[slot]
        start = 2 * CONTEXT + fill
        end = start + FRAME_BYTES
        if end > 2 * _ROW:
            self.frames_dropped += 1
            return
        self._rows[slot][start:end] = frame
        self._fill[slot] = fill + FRAME_BYTES
        if fill < _WINDOW_BYTES <= fill + FRAME_BYTES:
            self._ready.append(slot)

    def run(self) -> None:
        """Judge what is ready. Once a phase, as a hook of the media clock."""
        ready = self._ready
        if not ready:
            return
        if len(ready) > BATCH:
            batch, self._ready = ready[:BATCH], ready[BATCH:]
        else:
            batch, self._ready = ready, []
        callbacks = [self._judged[slot] for slot in batch]
        fill = self._fill
        for slot in batch:
            left = fill[slot] = fill[slot] - _WINDOW_BYTES
            if left >= _WINDOW_BYTES:
                self._ready.append(slot)
        for slot, judged, probability in zip(batch, callbacks, self._judge(np.array(batch)), strict=True):
            # A callback may end calls, and a new one may already have the slot.
            if judged is not None and self._judged[slot] is judged:
                try:
                    judged(probability)
                except Exception:
                    self.callback_errors += 1
                    if slot not in self._failed:
                        # Told once for each call: it would fail 31 times a second.
                        self._failed.add(slot)
                        log.exception("a conversation failed on a judgement of voice activity")

    def _judge(self, slots: NDArray[np.intp]) -> list[float]:
        windows = self._pcm[slots, : CONTEXT + WINDOW].astype(np.float32)
        self._pcm[slots, : _ROW - WINDOW] = self._pcm[slots, WINDOW:]
        windows *= 1.0 / 32768.0
        new = windows[:, CONTEXT:]
        level = 10.0 * np.log10(np.einsum("ij,ij->i", new, new) * (1.0 / WINDOW) + 1e-12)
        floor = self._floor[slots]
        floor = np.clip(np.minimum(floor + _FLOOR_RISES_DB, level), _FLOOR_LOWEST_DBFS, _FLOOR_HIGHEST_DBFS)
        self._floor[slots] = floor
        self.windows += len(slots)
        if self._silero is None:
            loud = level > np.maximum(floor + _LOUD_OVER_FLOOR_DB, _LOUD_LOWEST_DBFS)
            return [_LOUD if one else 0.0 for one in loud]
        hang = self._hang[slots]
        loud = level > np.maximum(floor + _GATE_OVER_FLOOR_DB, _GATE_LOWEST_DBFS)
        fresh = slots[loud & (hang == 0)]
        if len(fresh):
            # After a long silence the model begins anew: what it remembers is older than the silence.
            self._state[:, fresh] = 0
        hang = np.where(loud, _HANG_WINDOWS, np.maximum(hang - 1, 0))
        self._hang[slots] = hang
        passed = np.flatnonzero(hang)
        probabilities = np.zeros(len(slots), dtype=np.float32)
        if len(passed):
            judged = slots[passed]
            probabilities[passed], self._state[:, judged] = self._silero.judge(windows[passed], self._state[:, judged])
            self.windows_judged += len(passed)
        result: list[float] = probabilities.tolist()
        return result

    def _grow(self) -> None:
        """Twice as many slots, up to the limit; about 4 KB each."""
        have = len(self._judged)
        want = min(max(16, 2 * have), self._slots)
        if want <= have:
            raise RuntimeError(f"all {have} slots of voice activity are taken")
        more = want - have
        self._pcm = np.concatenate((self._pcm, np.zeros((more, _ROW), dtype=np.int16)))
        self._state = np.concatenate((self._state, np.zeros((2, more, STATE), dtype=np.float32)), axis=1)
        self._floor = np.concatenate((self._floor, np.zeros(more, dtype=np.float32)))
        self._hang = np.concatenate((self._hang, np.zeros(more, dtype=np.int32)))
        self._rows = [memoryview(row).cast("B") for row in self._pcm]
        self._judged += [None] * more
        self._fill += [0] * more
        self._free += range(want - 1, have - 1, -1)


def _load(model: Path | None) -> Silero | None:
    path = model or find_model()
    if path is None:
        log.warning(
            "no voice activity model: the silero-vad wheel is not installed; an energy detector stands in, which takes "
            "key tones and loud noise for speech"
        )
        return None
    try:
        return Silero(path)
    except Exception:
        log.exception("the voice activity model %s cannot be loaded; an energy detector stands in", path)
        return None
