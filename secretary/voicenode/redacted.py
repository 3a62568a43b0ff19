"""The live view without what the tenant keeps secret. One a call: a number may be said in several turns."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Final

from secretary.conversation.actions import Line, Note
from secretary.redaction import Kinds, redact_lines, redact_value
from secretary.voicenode.live import Live

REMEMBERED: Final = 4
"""Lines of one speaker over which a number is looked for."""
LONGEST: Final = 500
"""Characters of a line that are remembered."""


class RedactedLive:
    """Stands before `Live` for one call. A number is known when it is complete: what was shown of it is shown."""

    def __init__(self, live: Live, kinds: Kinds) -> None:
        self._live, self._kinds = live, kinds
        self._said: dict[str, deque[str]] = {}

    def line(self, call_uuid: str, line: Line) -> None:
        if self._kinds:
            said = self._said.setdefault(line.who, deque(maxlen=REMEMBERED))
            text = redact_lines([*said, line.text], self._kinds)[-1]
            said.append(line.text[-LONGEST:])
            line = replace(line, text=text)
        self._live.line(call_uuid, line)

    def note(self, call_uuid: str, note: Note) -> None:
        if self._kinds:
            detail = redact_value(note.detail, self._kinds)
            # Of a key pressed nobody knows yet what it is the beginning of.
            hidden = {"digit": "•"} if note.kind == "dtmf" else {}
            note = replace(note, detail={**detail, **hidden} if isinstance(detail, dict) else {})
        self._live.note(call_uuid, note)
