"""What a caller may want, as the local secretary understands it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Intent(StrEnum):
    """The meaning of one turn."""

    PLACE = "place"
    """Wants to be put through: `Understood.place` says where."""
    MESSAGE = "message"
    OPERATOR = "operator"
    """A person, whoever it is."""
    YES = "yes"
    NO = "no"
    REPEAT = "repeat"
    GOODBYE = "goodbye"
    UNKNOWN = "unknown"
    """Something was said, but nothing of the above."""


@dataclass(frozen=True, slots=True)
class Understood:
    """One recognised turn."""

    intent: Intent
    text: str = ""
    """The words, for the transcript; empty when nothing was understood."""
    confidence: float = 0.0
    """0 to 1. What the grammar refused arrives as UNKNOWN, so nobody has to compare this with a threshold again."""
    place: int | None = None
    """Index into the briefing's places."""


NOTHING = Understood(Intent.UNKNOWN)
