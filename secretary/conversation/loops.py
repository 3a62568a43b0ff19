"""Going round in circles: the same sentence again and again, on either side."""

from __future__ import annotations

from collections import Counter, deque

MOST_LINES = 8
SAME_SAID = 4
"""The secretary's own sentence, so many times among its last MOST_LINES."""
SAME_HEARD = 3
"""The caller's words, so many times in a row."""
WORDS = 4
"""Shorter ones ("sorry?", "hello?") may be said often."""


class Loops:
    """One call's memory of what was said lately."""

    def __init__(self) -> None:
        self._said: deque[str] = deque(maxlen=MOST_LINES)
        self._heard = ""
        self._heard_times = 0

    def said(self, text: str) -> bool:
        """The secretary said this of itself; True when it is a loop."""
        self._said.append(plain(text))
        sentence, times = Counter(self._said).most_common(1)[0]
        return times >= SAME_SAID and len(sentence.split()) >= WORDS

    def heard(self, text: str) -> bool:
        """The caller said this; True when it is a recording that repeats itself, or somebody who is not understood."""
        words = plain(text)
        self._heard_times = self._heard_times + 1 if words == self._heard else 1
        self._heard = words
        return self._heard_times >= SAME_HEARD and len(words.split()) >= WORDS


def plain(text: str) -> str:
    """Words only, in small letters."""
    return " ".join("".join(one if one.isalnum() else " " for one in text.casefold()).split())
