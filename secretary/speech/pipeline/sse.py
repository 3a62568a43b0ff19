"""Server-sent events out of bytes that are cut anywhere (WHATWG HTML, "event stream interpretation"). No I/O.

Only what language models use: `event` and `data`; comments (keep-alives), `id` and `retry` are passed over.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Final

from secretary.speech.contract import ProviderError

MAX_EVENT: Final = 1_000_000
"""Characters of one event: a whole answer of a model has a few thousand."""


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    """Of the `event` field; empty where there was none."""
    data: str


class EventStream:
    """Feed it what came; it gives the events that are complete."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending: list[str] = []
        """The line that is not complete, in pieces."""
        self._size = 0
        self._after_return = False
        self._name = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> list[Event]:
        """Raises ProviderError (`protocol`) for an event longer than MAX_EVENT."""
        events: list[Event] = []
        text = self._decoder.decode(chunk)
        if self._after_return and text:  # the second half of a "\r\n" that was cut in two
            text = text.removeprefix("\n")
            self._after_return = False
        self._after_return = text.endswith("\r") or (self._after_return and not text)
        self._size += len(text)
        if self._size > MAX_EVENT:
            raise ProviderError("an event of the answer is too long", kind="protocol")
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for line in lines[:-1]:
            self._line("".join((*self._pending, line)), events)
            self._pending.clear()
        if lines[-1]:
            self._pending.append(lines[-1])
        return events

    def end(self) -> list[Event]:
        """What was left without the empty line that should close it: some servers forget it after the last one."""
        events: list[Event] = []
        if self._pending:
            self._line("".join(self._pending), events)
            self._pending.clear()
        self._line("", events)
        return events

    def _line(self, line: str, events: list[Event]) -> None:
        if not line:
            if self._data:
                events.append(Event(self._name, "\n".join(self._data)))
            self._name = ""
            self._data.clear()
            self._size = 0
            return
        field, _, value = line.lstrip("\ufeff").partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
