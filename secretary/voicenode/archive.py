"""Writing a call down when it is over: into PostgreSQL, or onto the disk until PostgreSQL is there again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings

from secretary.conversation.session import Record
from secretary.profiles import CallRecord, MessageRecord, SecretaryProfile
from secretary.services.redacting import without_secrets
from secretary.speech.steps import Step
from secretary.tools.digest import Summariser
from secretary.voicenode import desk, metrics
from secretary.voicenode.office import CallOffice
from secretary.voicenode.spool import Spool
from tenants.context import in_thread

log = structlog.get_logger(__name__)

WRITE_ATTEMPTS: Final = 5
WRITE_PAUSE_S: Final = 1.0


class Archive:
    """One for a node. A record is never lost while there is a disk."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._summariser = Summariser()

    async def close(self) -> None:
        await self._summariser.close()

    async def write_back(self) -> None:
        """Put what waits on the disk into PostgreSQL. Raises what that raises."""
        await in_thread(self._spool.write_back)

    async def write(
        self,
        call_uuid: str,
        profile: SecretaryProfile,
        office: CallOffice,
        record: Record,
        answered_at: datetime | None,
        recording: Path | None,
        steps: Sequence[Step] = (),
    ) -> None:
        ended_at = datetime.now(UTC)  # now, and not when it has been summed up
        summary = await self._summary(profile, steps, record)
        record.notes = sorted([*record.notes, *office.tool_notes], key=lambda note: note.at_ms)
        kept = desk.record_of(
            profile,
            record,
            answered_at=answered_at,
            ended_at=ended_at,
            recording=recording,
            facts=office.facts,
            summary=summary,
        )
        for attempt in range(1, WRITE_ATTEMPTS + 1):
            try:
                await office.save_rest()
                written = await in_thread(desk.write, profile, UUID(call_uuid), kept)
            except Exception as error:
                log.warning("record_not_written_yet", attempt=attempt, error=repr(error))
                await asyncio.sleep(WRITE_PAUSE_S * attempt)
            else:
                if not written:
                    log.error("record_not_wanted", why="the call's row is ended already", lines=len(record.lines))
                log.info("call_ended", outcome=record.outcome, detail=record.detail, latency=record.latency)
                return
        await self._keep(profile, UUID(call_uuid), kept, office.unsaved)

    async def _summary(self, profile: SecretaryProfile, steps: Sequence[Step], record: Record) -> str:
        """What a language model says that the call was about; empty where none is asked, or it fails."""
        metered = record.metered
        if not profile.summarise or metered is None:
            return ""
        return await self._summariser.summarise(
            steps, record.lines, language=profile.language, kinds=profile.redact, count=metered.add_for
        )

    async def _keep(
        self, profile: SecretaryProfile, call_uuid: UUID, record: CallRecord, messages: tuple[MessageRecord, ...]
    ) -> None:
        """PostgreSQL is away for long: what was said waits on the disk, without what must not be stored."""
        record, messages = without_secrets(record, messages, profile.redact)
        try:
            path = await asyncio.to_thread(
                self._spool.keep,
                domain_uuid=profile.domain_uuid,
                call_uuid=call_uuid,
                node=settings.VOICENODE_NAME,
                record=record,
                messages=messages,
            )
        except OSError as error:
            metrics.RECORDS_LOST.inc()
            lines = [line.text for line in record.utterances]
            log.error("record_not_written", outcome=record.outcome, lines=lines, error=repr(error))
        else:
            log.error("record_spooled", outcome=record.outcome, path=str(path))
