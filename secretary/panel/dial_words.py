"""Why a number is not dialled, and what happens out of hours, in words, wherever they are shown."""

from __future__ import annotations

from collections.abc import Mapping

from secretary.dial_reasons import DIAL_REASONS
from secretary.models import ClosedAction
from secretary.panel.words import Text

__all__ = ["CLOSED_ACTIONS", "DIAL_REASONS", "reason_of"]

CLOSED_ACTIONS: Mapping[str, Text] = dict(ClosedAction.choices)


def reason_of(text: str) -> Text:
    """The words of a reason, or of a job's reason that begins with one; any other text as it is."""
    return DIAL_REASONS.get(text) or DIAL_REASONS.get(text.partition(" ")[0]) or text
