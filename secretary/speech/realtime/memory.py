"""What was said so far, so that a session can be taken up where another one ends. Bounded; the oldest goes first."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from secretary.speech.contract import Said

MOST_LINES: Final = 80
MOST_LETTERS: Final = 12_000
"""Some 3,000 tokens: more would cost more than it is worth, and the beginning of a call is seldom asked for."""
MOST_LINE: Final = 1_000
WORDS_COME: Final = "?"


class Memory:
    """The lines of one call, what the secretary said cut to what was heard of it."""

    def __init__(self, before: Iterable[Said] = ()) -> None:
        self._lines: deque[tuple[str, Said]] = deque((("", line) for line in before), maxlen=MOST_LINES)

    def turn(self) -> None:
        """The caller has said something whose words come later."""
        self._lines.append((WORDS_COME, Said("caller", "")))

    def caller(self, text: str) -> None:
        """The words of the oldest turn that waits for them."""
        line = ("", Said("caller", text[:MOST_LINE]))
        for at, (key, _line) in enumerate(self._lines):
            if key == WORDS_COME:
                self._lines[at] = line
                return
        self._lines.append(line)

    def secretary(self, utterance_id: str, text: str) -> None:
        if text:
            self._lines.append((utterance_id, Said("secretary", text[:MOST_LINE])))

    def heard(self, utterance_id: str, text: str) -> bool:
        """This and no more is what there was to hear of an utterance. False: it is not known."""
        for at in range(len(self._lines) - 1, -1, -1):
            if self._lines[at][0] == utterance_id:
                if text:
                    self._lines[at] = (utterance_id, Said("secretary", text[:MOST_LINE]))
                else:
                    del self._lines[at]
                return True
        return False

    def lines(self) -> list[Said]:
        """The newest lines that fit, oldest first."""
        kept: list[Said] = []
        letters = 0
        for _id, line in reversed(self._lines):
            letters += len(line.text)
            if letters > MOST_LETTERS:
                break
            if line.text:
                kept.append(line)
        return kept[::-1]
