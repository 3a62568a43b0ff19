"""What the session knows of a voice: a sentence goes in, L16 8,000 Hz comes out while it is being made."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol


class Synthesiser(Protocol):
    """One call's. Several sentences may be under way at the same time."""

    def speak(self, text: str, *, language: str, before: str = "") -> AsyncGenerator[bytes, None]:
        """The sentence in pieces of whole samples, none of them empty; closing the generator stops the work.

        `language` is `en` or `pt-br`; `before` is what was said just before it, for the melody. Raises ProviderError.
        """
        ...
