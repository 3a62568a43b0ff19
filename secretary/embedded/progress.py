"""What a person sees while things start: one line each, with the time it took."""

from __future__ import annotations

import sys
from typing import TextIO


class Progress:
    """On a terminal the line of a step is there from its beginning; elsewhere it is printed when the step is done.

    An instance is what `Stack` wants as `progress`: called with (name, None) first and (name, seconds) at the end.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._terminal = self._stream.isatty()

    def __call__(self, name: str, seconds: float | None) -> None:
        if seconds is not None:
            self._write(f"{self._lead()}  ✓ {name} ({seconds:.1f} s)\n")
        elif self._terminal:
            self._write(f"{self._lead()}  … {name}")

    def say(self, text: str) -> None:
        """A sentence of its own."""
        self._write(f"{self._lead()}{text}\n")

    def _lead(self) -> str:
        return "\r\x1b[K" if self._terminal else ""

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
