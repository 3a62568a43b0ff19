"""What the session knows of whoever writes down what the caller says.

Some listen all the time (`hear`), some get a turn when it is over; the session tells both the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Transcript:
    text: str
    """Empty where nothing was understood."""
    language: str = ""
    """`en` or `pt-br` where the service noticed that; empty: not looked for, or another."""
    seconds: float = 0.0
    """Of audio that cost money."""


class Recogniser(Protocol):
    """One call's."""

    async def open(self, interim: Callable[[str], None]) -> None:
        """`interim` is told what is understood so far of a turn under way, by those who listen meanwhile.

        Raises ProviderError.
        """

    def hear(self, frame: bytes) -> None:
        """20 ms of L16 8,000 Hz, always. Must not cost more than a few microseconds."""

    def turn_started(self) -> None:
        """Speech is certain since a moment; it began up to 400 ms ago."""

    def turn_ended(self, pcm: bytes) -> Awaitable[Transcript]:
        """The whole turn, once it is over. What is awaited is what was said; it raises ProviderError.

        The next turn may begin before this one's words are there.
        """
        ...

    async def close(self) -> None: ...


def language_of(code: str) -> str:
    """A vendor's word for a language as ours: `en`, `pt-br`, or empty for any other."""
    code = code.lower().replace("_", "-")
    if code == "english" or code.split("-")[0] == "en":
        return "en"
    if code == "portuguese" or code.split("-")[0] == "pt":
        return "pt-br"
    return ""
