"""What the caller's end sounds like: words by a local voice, other noises, and what the line does to all of it.

All sound is L16 little-endian mono 8,000 Hz. Everything is deterministic: the same script gives the same samples.
"""

from __future__ import annotations

import asyncio
import wave
from collections import deque
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eslbridge.media.contract import FRAME_BYTES, FRAME_MS, FRAME_SAMPLES, RATE
from secretary.audio.level import dbfs
from secretary.scenarios.script import Line, ScriptError, Step
from secretary.speech.local import render
from secretary.speech.local.errors import VoiceError

F32 = NDArray[np.float32]
SILENCE: Final = bytes(FRAME_BYTES)
VOICE_S: Final = 10.0
SEED: Final = 8001
RINGBACK_HZ: Final = (425.0,)
DTMF_HZ: Final = (852.0, 1336.0)


@lru_cache(maxsize=512)
def speech(text: str, voice: str, language: str) -> bytes:
    """These words, by the machine's own voice. Raises ScriptError where it has none."""
    try:
        return render.speak(text, render.resolve(voice, language), language, deadline_s=VOICE_S)
    except VoiceError as error:
        raise ScriptError(f"this machine cannot speak: {error}") from error


def of_step(step: Step, folder: Path, language: str) -> bytes:
    """What the caller's microphone hears in this step. Raises ScriptError."""
    if step.say:
        return speech(step.say, step.voice or "male", step.language or language)
    if not step.play:
        return b""
    made = MADE.get(step.play)
    if made is not None:
        return made(step.for_ms or 1_000)
    path = folder / step.play
    try:
        with wave.open(str(path)) as file:
            if (file.getframerate(), file.getsampwidth(), file.getnchannels()) != (RATE, 2, 1):
                raise ScriptError(f"{path.name}: a WAV of {RATE} Hz, 16 bit, mono is expected")
            pcm: bytes = file.readframes(file.getnframes())
            return pcm
    except (OSError, EOFError, wave.Error) as error:
        raise ScriptError(
            f"{step.play}: no such sound: there are {', '.join(MADE)}, or a WAV file ({error})"
        ) from error


def _tones(length_ms: int, *hertz: float, level: float = 0.1) -> F32:
    at = np.arange(length_ms * RATE // 1000) / RATE
    total = np.zeros(len(at))
    for one in hertz:
        total += np.sin(2 * np.pi * one * at)
    return (total * level / len(hertz)).astype(np.float32)


def _pcm(samples: F32) -> bytes:
    pcm: bytes = (np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes()
    return pcm


def cough(length_ms: int) -> bytes:
    """A burst of noise with a throat's formants that dies away: loud, short, and no word."""
    count = min(length_ms, 350) * RATE // 1000
    noise = np.random.default_rng(SEED).standard_normal(count)
    shaped = np.convolve(noise, np.hanning(9) / 4, "same")
    return _pcm((shaped * np.exp(-np.arange(count) / (RATE * 0.09)) * 0.25).astype(np.float32))


def hum(length_ms: int) -> bytes:
    """ "Mm-hm" without a mouth: a voiced tone with harmonics and a dip."""
    at = np.arange(min(length_ms, 450) * RATE // 1000) / RATE
    voiced = sum(np.sin(2 * np.pi * 130 * n * at) / n for n in range(1, 6))
    shape = np.abs(np.sin(np.pi * at / max(at[-1], 1e-3) * 2))
    return _pcm((voiced * shape * 0.06).astype(np.float32))


def music(length_ms: int) -> bytes:
    """What a telephone system plays to those who wait: chords without a pause."""
    chords = ((262, 330, 392), (220, 262, 330), (175, 220, 262), (196, 247, 294))
    bars = [_tones(500, *map(float, chords[n % 4]), level=0.15) for n in range(length_ms // 500 + 1)]
    return _pcm(np.concatenate(bars)[: length_ms * RATE // 1000])


def ringback(length_ms: int) -> bytes:
    tone, pause = _tones(1_000, *RINGBACK_HZ), np.zeros(4 * RATE, dtype=np.float32)
    return _pcm(np.tile(np.concatenate((tone, pause)), length_ms // 5_000 + 1)[: length_ms * RATE // 1000])


def noise(length_ms: int) -> bytes:
    samples = np.random.default_rng(SEED).standard_normal(length_ms * RATE // 1000) * 10 ** (-38 / 20)
    return _pcm(samples.astype(np.float32))


def dtmf_tone(length_ms: int) -> bytes:
    return _pcm(_tones(length_ms, *DTMF_HZ, level=0.25))


MADE: Final = {
    "cough": cough,
    "hum": hum,
    "music": music,
    "ringback": ringback,
    "noise": noise,
    "dtmf_tone": dtmf_tone,
}


class Road:
    """The caller's frames on their way to us: level, echo of our own voice, noise, losses."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._dice = np.random.default_rng(SEED)
        self._echoes: deque[bytes] = deque([SILENCE] * max(1, line.echo_ms // FRAME_MS))
        self._last = SILENCE

    def carry(self, spoken: bytes, heard: bytes) -> bytes:
        """One frame from the caller's mouth to our ear, while the caller's ear hears `heard`."""
        line = self._line
        if line == _CLEAN:
            return spoken
        samples = np.frombuffer(spoken, "<i2").astype(np.float32) * np.float32(10 ** (line.level_db / 20))
        if line.echo_db is not None:
            self._echoes.append(heard)
            back = np.frombuffer(self._echoes.popleft(), "<i2").astype(np.float32)
            samples += back * np.float32(10 ** (line.echo_db / 20))
        if line.noise_dbfs is not None:
            hiss = self._dice.standard_normal(FRAME_SAMPLES).astype(np.float32)
            samples += hiss * np.float32(32_768 * 10 ** (line.noise_dbfs / 20))
        frame: bytes = np.clip(samples, -32_768, 32_767).astype("<i2").tobytes()
        if line.loss_percent and self._dice.random() * 100 < line.loss_percent:
            frame = self._last  # as a switch conceals a lost packet: the last one once more
        self._last = frame
        return frame


_CLEAN: Final = Line()


def is_sound(frame: bytes) -> bool:
    """Whether an ear would call this frame sound."""
    return dbfs(frame) > -50.0


async def in_background(text: str, voice: str, language: str) -> bytes:
    """`speech` off the event loop."""
    return await asyncio.get_running_loop().run_in_executor(None, speech, text, voice, language)
