"""Which words belong to which turn: transcripts come late, out of order, in pieces or never.

The conversation is told the words of each turn once, in the order of the turns, empty where none were understood.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MOST: Final = 8
"""Turns that wait for words; of more the oldest goes without."""


@dataclass(slots=True)
class _Turn:
    key: str = ""
    text: str | None = None
    due: float = 0.0


class CallerTurns:
    """Turns that are over and have not been told. Give `tell` each turn's words; ask `expire` now and then."""

    def __init__(self, tell: Callable[[str], None], *, patience_s: float) -> None:
        self._tell = tell
        self._patience_s = patience_s
        self._turns: deque[_Turn] = deque()

    @property
    def waiting(self) -> int:
        return len(self._turns)

    @property
    def due(self) -> float | None:
        """When the oldest turn goes without words."""
        return self._turns[0].due if self._turns else None

    def ended(self, now: float, key: str = "") -> None:
        """A turn is over; `key` is the provider's name for it, if it has been told already."""
        self._turns.append(_Turn(key, due=now + self._patience_s))
        if len(self._turns) > MOST:
            self._turns[0].text = self._turns[0].text or ""
            self._settle()

    def named(self, key: str) -> None:
        """The oldest turn without a name is called this by the provider."""
        for turn in self._turns:
            if not turn.key:
                turn.key = key
                return

    def knows(self, key: str) -> bool:
        return any(turn.key == key for turn in self._turns)

    def words(self, text: str, key: str = "") -> bool:
        """What was understood of the turn of this name, or of the oldest one. False: there is no such turn."""
        for turn in self._turns:
            if turn.text is None and (not key or turn.key == key):
                turn.text = text
                self._settle()
                return True
        return False

    def expire(self, now: float) -> None:
        """Turns whose words should have come by now go without."""
        while self._turns and self._turns[0].due <= now:
            self._turns[0].text = self._turns[0].text or ""
            self._settle()

    def abandon(self) -> None:
        """No words will come any more."""
        for turn in self._turns:
            turn.text = turn.text or ""
        self._settle()

    def _settle(self) -> None:
        while self._turns and (text := self._turns[0].text) is not None:
            self._turns.popleft()
            self._tell(text)
