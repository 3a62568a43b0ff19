"""espeak-ng as another process: text to sound, and words to phonemes.

espeak-ng is GPL-3. We never load it into our own process: either the system's `espeak-ng` binary is run, or
`espeak_child.py` is run by a Python of its own, which opens the library that the `espeakng-loader` wheel carries.

Both block: call them from a worker process or an executor, never from the event loop.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Final

LANGUAGES: Final = {"en": "en-us", "pt-br": "pt-br"}
"""Our language tag to espeak-ng's voice."""
_CHILD: Final = Path(__file__).with_name("espeak_child.py")
_WORDS_AT_ONCE: Final = 400


class EspeakError(Exception):
    """espeak-ng is missing, failed or was too slow. The message carries no caller's text."""


@lru_cache(maxsize=1)
def binary() -> str | None:
    """Path of the system's espeak-ng, or None."""
    return shutil.which("espeak-ng")


@lru_cache(maxsize=1)
def available() -> bool:
    """Whether any espeak-ng can be run here."""
    return binary() is not None or importlib.util.find_spec("espeakng_loader") is not None


def synthesise(text: str, voice: str, words_a_minute: int, *, deadline_s: float) -> bytes:
    """The whole text as a RIFF WAV file's bytes (22,050 Hz mono). Raises EspeakError."""
    text = plain(text)
    with tempfile.TemporaryDirectory(prefix="voice-") as folder:
        out = Path(folder, "out.wav")
        program = binary()
        if program is not None:
            command = [program, "-v", voice, "-s", str(words_a_minute), "-w", str(out), "--stdin"]
            _run(command, text.encode(), deadline_s)
        else:
            request = {"do": "speak", "voice": voice, "wpm": words_a_minute, "text": text, "out": str(out)}
            _run([sys.executable, "-I", str(_CHILD)], json.dumps(request).encode(), deadline_s)
        try:
            return out.read_bytes()
        except OSError as error:
            raise EspeakError("espeak-ng wrote no sound") from error


def phonemes(words: list[str], language: str, *, deadline_s: float = 10.0) -> list[str]:
    """IPA of each word as this language's reader would say it, in the same order. Raises EspeakError."""
    answers: list[str] = []
    for start in range(0, len(words), _WORDS_AT_ONCE):
        answers += _phonemes(
            [plain(word) or "-" for word in words[start : start + _WORDS_AT_ONCE]], language, deadline_s
        )
    return answers


def _phonemes(words: list[str], language: str, deadline_s: float) -> list[str]:
    voice = LANGUAGES[language]
    program = binary()
    if program is None:
        request = {"do": "phonemes", "voice": voice, "words": words}
        answer = json.loads(_run([sys.executable, "-I", str(_CHILD)], json.dumps(request).encode(), deadline_s))
        return [str(line) for line in answer]
    # One line in gives one line out, because each is closed like a sentence of its own.
    text = "".join(word + ".\n\n" for word in words)
    command = [program, "-q", "--ipa=1", "-v", voice, "--stdin"]
    lines = [line.strip() for line in _run(command, text.encode(), deadline_s).decode(errors="replace").splitlines()]
    lines = [line for line in lines if line]
    if len(lines) != len(words):  # A word with a sentence's end inside it: ask one by one.
        if len(words) == 1:
            return [" ".join(lines)]
        return [_phonemes([word], language, deadline_s)[0] for word in words]
    return lines


def plain(text: str) -> str:
    """Only what is to be read aloud: no control characters, and no `[[…]]`, which espeak-ng takes for raw phonemes."""
    return " ".join("".join(c if c.isprintable() and c not in "[]<>|\\{}" else " " for c in text).split())


def _run(command: list[str], stdin: bytes, deadline_s: float) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - our own argument list, no shell; text goes in by stdin
            command, input=stdin, capture_output=True, timeout=deadline_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise EspeakError(f"espeak-ng took longer than {deadline_s:.0f} s") from error
    except OSError as error:
        raise EspeakError(f"espeak-ng cannot be run: {error.strerror}") from error
    if done.returncode != 0:
        raise EspeakError(f"espeak-ng ended with status {done.returncode}")
    return done.stdout
