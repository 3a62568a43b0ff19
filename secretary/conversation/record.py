"""What remains of a conversation."""

from __future__ import annotations

from secretary.conversation import actions as act
from secretary.speech.metered import Metered

MOST_LINES = 2_000
"""Transcript lines and timeline entries kept in memory for one call, each; more are dropped and the record says so."""


class Record:
    """Filled while the conversation runs, read when it is over."""

    def __init__(self) -> None:
        self.lines: list[act.Line] = []
        self.notes: list[act.Note] = []
        self.outcome = "failed"
        self.detail = ""
        self.destination_uuid = ""
        self.latency: dict[str, int] = {}
        self.metered: Metered | None = None
        """What was used that costs money, by provider, model and unit, with prices."""
        self.dropped = 0

    @property
    def cost(self) -> float:
        """What the call costs so far, in the installation's currency; 0 for what has no price. For limits."""
        return self.metered.cost if self.metered is not None else 0.0

    def add_line(self, line: act.Line) -> None:
        """Before what began when it had ended: a caller's words may come when the answer to them has been heard."""
        if len(self.lines) >= MOST_LINES:
            self._drop()
            return
        at = len(self.lines)
        while at and self.lines[at - 1].start_ms >= line.end_ms:
            at -= 1
        self.lines.insert(at, line)

    def add_note(self, note: act.Note) -> None:
        self.notes.append(note) if len(self.notes) < MOST_LINES else self._drop()

    def _drop(self) -> None:
        self.dropped += 1
