"""The platform behind a rehearsal: tools end as the script says, and what would be stored is kept to be judged."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from secretary.conversation.actions import Line, Note
from secretary.conversation.office import NOTHING_GIVEN, CallerSide, Outcome


@dataclass(slots=True)
class Kept:
    """A message as far as it came."""

    text: str
    complete: bool
    given: Mapping[str, str] = field(default_factory=dict)
    """What the caller told of themselves."""


@dataclass(slots=True)
class ScriptedOffice:
    """Implements `Office`. `endings` gives each tool's outcome by name; `ok` where there is none."""

    endings: Mapping[str, Any] = field(default_factory=dict)
    transfers: list[str] = field(default_factory=list)
    """UUIDs of the destinations asked for."""
    tools: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    messages: dict[Path | None, Kept] = field(default_factory=dict)
    cancelled: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a transfer succeeded: the call leaves."""

    def live_line(self, line: Line) -> None:
        return

    def live_note(self, note: Note) -> None:
        return

    async def transfer(self, destination_uuid: str, caller: CallerSide) -> Outcome:
        self.transfers.append(destination_uuid)
        outcome = await self._ending("transfer", number=len(self.transfers))
        if outcome.word == "ok":
            self.left.set()
        return outcome

    async def run_tool(self, name: str, arguments: Mapping[str, object]) -> Outcome:
        self.tools.append((name, dict(arguments)))
        return await self._ending(name)

    async def save_message(
        self, *, text: str, audio: Path | None, complete: bool, given: Mapping[str, str] = NOTHING_GIVEN
    ) -> Outcome:
        self.messages[audio] = Kept(text, complete, dict(given))
        return await self._ending("save_message")

    async def _ending(self, name: str, number: int = 1) -> Outcome:
        """`no_answer`, a list of such (the last one counts from then on), or a map of outcome, detail, takes_ms."""
        ending = self.endings.get(name, "ok")
        if isinstance(ending, list):
            ending = ending[min(number, len(ending)) - 1]
        if not isinstance(ending, Mapping):
            ending = {"outcome": str(ending)}
        try:
            await asyncio.sleep(float(ending.get("takes_ms", 50)) / 1000)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return Outcome(str(ending.get("outcome", "ok")), str(ending.get("detail", "")))
