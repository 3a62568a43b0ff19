"""What the session has done outside of the call, and how each of it comes back to the conversation."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol

import structlog

from eslbridge.control import CallControl, ControlError
from secretary.conversation import actions as act
from secretary.conversation import events as ev
from secretary.conversation.keeping import Keeping, complete
from secretary.conversation.office import Office, Outcome
from secretary.conversation.tape import Tape

log = structlog.get_logger(__name__)


class Note(Protocol):
    """Put this on the call's timeline, now."""

    def __call__(self, kind: str, **detail: object) -> None: ...


class Errands:
    """Coroutines for tasks of the session. None of them raises for what may go wrong outside."""

    def __init__(self, call: CallControl, office: Office, give: Callable[[ev.Event], None], note: Note) -> None:
        self._call, self._office, self._give, self._note = call, office, give, note

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

    async def hang_up(self, cause: str) -> None:
        await self._tell_switch(self._call.hang_up(cause))

    async def leave(self, reason: str) -> None:
        await self._tell_switch(self._call.leave(reason))

    async def _tell_switch(self, command: Coroutine[Any, Any, None]) -> None:
        try:
            await command
        except ControlError as error:
            log.warning("switch_refused", error=str(error))

    async def record_on_switch(self, tape: Tape, keeping: Keeping) -> None:
        """Where the switch does not record, the node does."""
        if why := await tape.begin():
            self._note("recording_failed", reason=why)
            keeping.record_here()

    async def pause_recording(self, tool_call_id: str, tape: Tape | None) -> None:
        if tape is not None and not await tape.pause(True):
            self._note("recording_failed", reason="it could not be paused, and was ended")
        self._give(ev.ToolDone(tool_call_id, "ok"))

    async def resume_recording(self, tape: Tape) -> None:
        if not await tape.pause(False):
            self._note("recording_failed", reason="it could not be resumed")
