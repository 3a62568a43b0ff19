"""One prompt through one engine, brought to telephone form. Blocks: for an executor.

L16 8,000 Hz mono; silence before and after cut to EDGE_MS; speech at LEVEL_DBFS, peaks at most PEAK_DBFS.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
import unicodedata
import wave
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from secretary.speech.local import espeak
from secretary.speech.local.errors import VoiceError
from secretary.speech.local.resample import resample

VERSION: Final = 1
"""Part of the cache's key: raise it when the same text must sound different."""
RATE: Final = 8000
LEVEL_DBFS: Final = -20.0
"""RMS of the speech itself, pauses left out: where telephone speech usually is (ITU-T P.56 active level)."""
PEAK_DBFS: Final = -3.0
EDGE_MS: Final = 20
WORDS_A_MINUTE: Final = 160
FLITE_VOICES: Final = ("slt", "rms", "awb", "kal16")
"""Built into flite. A fixed list, because flite takes any other name for a file or a URL to load."""
ESPEAK_VARIANTS: Final = {"female": "+f2", "male": "", "": "+f2"}
_DEFAULT_FLITE: Final = {"": "slt", "female": "slt", "male": "rms"}


@lru_cache(maxsize=1)
def flite() -> str | None:
    """Path of the system's flite, or None."""
    return shutil.which("flite")


def voices(language: str) -> tuple[str, ...]:
    """What `voice` may be in this language here; anything else means the default."""
    return ("female", "male", *(FLITE_VOICES if language == "en" and flite() else ()))


def resolve(voice: str, language: str) -> str:
    """The engine's own name for a voice, `engine:name`, so that a cache knows what it keeps."""
    if language == "en" and flite():
        name = voice if voice in FLITE_VOICES else _DEFAULT_FLITE.get(voice, "slt")
        return f"flite:{name}"
    base = espeak.LANGUAGES.get(language, "en-us")
    return f"espeak:{base}{ESPEAK_VARIANTS.get(voice, ESPEAK_VARIANTS[''])}"


def speak(text: str, resolved: str, language: str, *, deadline_s: float) -> bytes:
    """L16 8 kHz. Should flite fail, espeak-ng speaks instead. Raises VoiceError."""
    text = espeak.plain(text)
    if not any(c.isalnum() for c in text):
        return bytes(2 * RATE * EDGE_MS // 1000)
    engine, _, name = resolved.partition(":")
    if engine == "flite":
        try:
            return telephone(_flite(text, name, deadline_s))
        except VoiceError:
            name = espeak.LANGUAGES.get(language, "en-us") + ESPEAK_VARIANTS[""]
    try:
        return telephone(espeak.synthesise(text, name, WORDS_A_MINUTE, deadline_s=deadline_s))
    except espeak.EspeakError as error:
        raise VoiceError(str(error)) from error


def telephone(wav: bytes) -> bytes:
    """A RIFF WAV file as L16 8 kHz, trimmed and levelled. Raises VoiceError when it holds no 16-bit sound."""
    try:
        with wave.open(io.BytesIO(wav)) as file:
            if file.getsampwidth() != 2 or file.getnchannels() != 1:
                raise VoiceError("an engine gave sound that is not 16-bit mono")
            rate = file.getframerate()
            # espeak-ng writes a stream's header with the greatest length; what is there counts.
            raw = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    except (wave.Error, EOFError) as error:
        raise VoiceError("an engine gave a broken WAV file") from error
    if not raw.size:
        raise VoiceError("an engine gave no sound")
    samples: NDArray[np.float32] = raw.astype(np.float32) * np.float32(1 / 32768)
    if rate != RATE:
        samples = resample(samples, rate, RATE)
    return levelled(trimmed(samples))


def trimmed(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without the silence around it: below -45 dB of the loudest 10 ms, but for EDGE_MS."""
    window = RATE // 100
    count = len(samples) // window
    if count == 0:
        return samples
    energy = np.sqrt(np.mean(samples[: count * window].reshape(count, window) ** 2, axis=1))
    loud = np.flatnonzero(energy > max(float(energy.max()) * 10 ** (-45 / 20), 1e-5))
    if not loud.size:
        return samples
    edge = RATE * EDGE_MS // 1000
    return samples[max(0, int(loud[0]) * window - edge) : (int(loud[-1]) + 1) * window + edge]


def levelled(samples: NDArray[np.float32]) -> bytes:
    """As L16 at LEVEL_DBFS, or quieter where its peaks would pass PEAK_DBFS."""
    active = samples[np.abs(samples) > 0.02 * float(np.abs(samples).max() or 1.0)]
    rms = float(np.sqrt(np.mean(active**2))) if active.size else 0.0
    if rms > 0:
        gain = min(10 ** (LEVEL_DBFS / 20) / rms, 10 ** (PEAK_DBFS / 20) / float(np.abs(samples).max()))
        samples = samples * gain
    return np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


@lru_cache(maxsize=1)
def tone() -> bytes:
    """The tone before a message: 1,000 Hz, 300 ms, with soft edges (10 ms), preceded by 100 ms of silence."""
    time = np.arange(RATE * 300 // 1000) / RATE
    edge = np.minimum(1.0, np.minimum(time, time[::-1]) / 0.010)
    wave_form = 0.15 * np.sin(2 * np.pi * 1000 * time) * edge
    return bytes(2 * RATE // 10) + np.round(wave_form * 32767).astype("<i2").tobytes()


def _flite(text: str, name: str, deadline_s: float) -> bytes:
    # flite reads ASCII only: "João" is nearer as "Joao" than as two unknown signs.
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    program = flite()
    if program is None:
        raise VoiceError("flite is not installed")
    with tempfile.TemporaryDirectory(prefix="voice-") as folder:
        out = Path(folder, "out.wav")
        try:
            done = subprocess.run(  # noqa: S603 - our own argument list, no shell; the text is one option's value
                [program, "-voice", name, "-t", text, "-o", str(out)],
                capture_output=True,
                timeout=deadline_s,
                check=False,
            )
            if done.returncode != 0:
                raise VoiceError(f"flite ended with status {done.returncode}")
            return out.read_bytes()
        except subprocess.TimeoutExpired as error:
            raise VoiceError(f"flite took longer than {deadline_s:.0f} s") from error
        except OSError as error:
            raise VoiceError("flite gave no sound") from error
