"""What the session has done outside of the call, and how each of it comes back to the conversation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import structlog

from eslbridge.control import CallControl, ControlError
from secretary.conversation import actions as act
from secretary.conversation import events as ev
from secretary.conversation.keeping import complete
from secretary.conversation.office import Office, Outcome

log = structlog.get_logger(__name__)


class Errands:
    """Coroutines for tasks of the session. None of them raises for what may go wrong outside."""

    def __init__(self, call: CallControl, office: Office, give: Callable[[ev.Event], None]) -> None:
        self._call, self._office, self._give = call, office, give

    async def note_message(self, path: Path) -> None:
        """Have the message's row written when its first word is spoken: not even a node that dies loses it."""
        await self._office.save_message(text="", audio=path, complete=False)

    async def save_message(self, save: act.SaveMessage, path: Path | None, written: Future[None] | None) -> None:
        if written is not None:
            await complete([written])
        given: Any = {"given": save.given} if save.given else {}
        outcome = await self._office.save_message(text=save.text, audio=path, complete=save.complete, **given)
        self._give(ev.ToolDone(save.tool_call_id, outcome.word, outcome.detail))

    async def run_tool(self, tool_call_id: str, name: str, arguments: Mapping[str, object]) -> None:
        try:
            outcome = await self._office.run_tool(name, arguments)
        except Exception:
            log.exception("tool_failed", tool=name)
            outcome = Outcome("failed", "internal error")
        self._give(ev.ToolDone(tool_call_id, outcome.word, outcome.detail))

    async def send_digits(self, tool_call_id: str, digits: str) -> None:
        try:
            await self._call.send_dtmf(digits)
        except ControlError as error:
            self._give(ev.ToolDone(tool_call_id, "failed", str(error)))
        else:
            self._give(ev.ToolDone(tool_call_id, "ok"))
