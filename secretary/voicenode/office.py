"""One call's door to the platform: transfers as jobs, messages as rows, the live view."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import structlog

from secretary.conversation.actions import Line, Note
from secretary.conversation.office import NOTHING_GIVEN, CallerSide, Outcome
from secretary.profiles import MessageRecord, SecretaryProfile
from secretary.redaction import redact
from secretary.services.messages import save_message
from secretary.tools.box import ToolBox
from secretary.voicenode.desk import below_data_dir
from secretary.voicenode.live import Live
from secretary.voicenode.putting_through import PuttingThrough
from secretary.voicenode.redacted import RedactedLive
from tenants.context import in_thread

log = structlog.get_logger(__name__)

SAVE_ATTEMPTS: Final = 4
SAVE_PAUSE_S: Final = 0.5


class CallOffice:
    """Implements `Office` for one call of one tenant."""

    def __init__(
        self, profile: SecretaryProfile, call_uuid: str, live: Live | RedactedLive, box: ToolBox | None = None
    ) -> None:
        self._domain_uuid = profile.domain_uuid
        self._call_uuid = call_uuid
        self._redact = profile.redact
        self._live = live
        self._box = box
        self.putting_through: PuttingThrough | None = None
        self._messages: dict[Path | None, UUID] = {}
        self._unsaved: dict[UUID, MessageRecord] = {}
        """What PostgreSQL has not taken yet: one for each message of the call."""
        self._saving = asyncio.Lock()
        self._told: Mapping[str, str] = dict(self.facts)

    @property
    def tool_notes(self) -> tuple[Note, ...]:
        """Every call of a tool, for the timeline."""
        return tuple(self._box.notes) if self._box is not None else ()

    @property
    def facts(self) -> Mapping[str, str]:
        """What the caller told of themselves, as tools were given it."""
        return self._box.kept.values if self._box is not None else {}

    def facts_told(self) -> tuple[UUID, Mapping[str, str]] | None:
        """The domain and those facts, if there are others than when this was asked last."""
        if self._told == self.facts:
            return None
        self._told = dict(self.facts)
        return self._domain_uuid, self._told

    def live_line(self, line: Line) -> None:
        self._live.line(self._call_uuid, line)

    def live_note(self, note: Note) -> None:
        self._live.note(self._call_uuid, note)

    async def transfer(self, destination_uuid: str, caller: CallerSide) -> Outcome:
        if self.putting_through is None:
            return Outcome("failed", "this call cannot be put through")
        return await self.putting_through.to(destination_uuid, caller)

    async def run_tool(self, name: str, arguments: Mapping[str, object]) -> Outcome:
        if self._box is None:
            return Outcome("unknown", f"there is no tool named {name}")
        return await self._box.run(name, arguments)

    async def save_message(
        self, *, text: str, audio: Path | None, complete: bool, given: Mapping[str, str] = NOTHING_GIVEN
    ) -> Outcome:
        message_uuid = self._messages.setdefault(audio, uuid4())
        if audio is None and complete:
            del self._messages[audio]  # the next one without sound is another message
        path = below_data_dir(audio) if audio is not None else ""
        record = MessageRecord(text=text, audio=path, complete=complete, message_uuid=message_uuid, given=dict(given))
        self._unsaved[message_uuid] = record
        async with self._saving:  # in the order asked for: the last word on a message must be written last
            return await self._save(record)

    async def _save(self, record: MessageRecord) -> Outcome:
        for attempt in range(1, SAVE_ATTEMPTS + 1):
            try:
                await self._store(record)
            except Exception as error:
                log.warning("message_not_saved_yet", attempt=attempt, error=repr(error), audio=record.audio)
                await asyncio.sleep(SAVE_PAUSE_S * attempt)
            else:
                return Outcome("ok")
        text = redact(record.text, self._redact)
        log.error("message_not_saved", call_uuid=self._call_uuid, audio=record.audio, text=text)
        return Outcome("failed", "the message could not be stored")

    @property
    def unsaved(self) -> tuple[MessageRecord, ...]:
        """The messages that PostgreSQL has not taken."""
        return tuple(self._unsaved.values())

    async def save_rest(self) -> None:
        """Store the messages that PostgreSQL would not take during the call. Raises what it raises."""
        for record in tuple(self._unsaved.values()):
            await self._store(record)

    async def _store(self, record: MessageRecord) -> None:
        await in_thread(save_message, domain_uuid=self._domain_uuid, call_uuid=UUID(self._call_uuid), record=record)
        if self._unsaved.get(record.message_uuid) is record:  # and nothing newer waits
            del self._unsaved[record.message_uuid]
