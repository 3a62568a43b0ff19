"""Calls' records that PostgreSQL would not take: kept as files below DATA_DIR until it does.

A record holds what was said, so a file is readable by its owner only, and is gone once it is written. Each file is
written under another name and renamed: half a record is never read.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import orjson
import structlog

from secretary.errors import CallRefused
from secretary.profiles import CallRecord, EventRecord, MessageRecord, UsageItem, UtteranceRecord
from secretary.services import calls
from secretary.services.messages import save_message

log = structlog.get_logger(__name__)

MOST_FILES: Final = 10_000
"""Of a day without a database at 400 calls an hour. More are only in the log."""


class Spool:
    """One folder. `keep` and `write_back` block: for a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(
        self, *, domain_uuid: UUID, call_uuid: UUID, node: str, record: CallRecord, messages: tuple[MessageRecord, ...]
    ) -> Path:
        """Write a record to the disk. Raises OSError: it is full, or so are we."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if sum(1 for _ in self._files()) >= MOST_FILES:
            raise OSError(f"{MOST_FILES} records are waiting in {self._folder}")
        if record.ended_at is None:
            record = replace(record, ended_at=datetime.now(UTC))
        content = {
            "domain_uuid": domain_uuid,
            "call_uuid": call_uuid,
            "node": node,
            "record": asdict(record),
            "messages": [asdict(message) for message in messages],
        }
        path = self._folder / f"{call_uuid}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.json"
        half = path.with_suffix(".part")
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(orjson.dumps(content))
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
        return path

    def write_back(self) -> int:
        """Put what waits into the database; returns how many. Raises what the database raises, and keeps the rest."""
        done = 0
        for path in sorted(self._files()):
            try:
                given = orjson.loads(path.read_bytes())
                domain_uuid, call_uuid = UUID(given["domain_uuid"]), UUID(given["call_uuid"])
                record, messages = record_of(given["record"]), [message_of(one) for one in given["messages"]]
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                log.error("spool.not_readable", path=str(path), error=repr(error))
                with contextlib.suppress(OSError):
                    path.rename(path.with_suffix(".broken"))
                continue
            try:
                for message in messages:
                    save_message(domain_uuid=domain_uuid, call_uuid=call_uuid, record=message)
                written = calls.finish_call(
                    domain_uuid=domain_uuid, call_uuid=call_uuid, node=given["node"], record=record
                )
            except (CallRefused, LookupError) as error:  # the domain or the call is gone: nobody wants it any more
                log.warning("spool.not_wanted", call_uuid=str(call_uuid), error=repr(error))
                written = False
            path.unlink(missing_ok=True)
            log.info("spool.written", call_uuid=str(call_uuid), wanted=written)
            done += 1
        return done

    def _files(self) -> Iterator[Path]:
        return self._folder.glob("*.json")


def record_of(given: dict[str, Any]) -> CallRecord:
    """A record as `keep` wrote it. Raises ValueError, KeyError, TypeError."""
    values = dict(given)
    for name in ("answered_at", "ended_at"):
        values[name] = datetime.fromisoformat(values[name]) if values.get(name) else None
    values["destination_uuid"] = UUID(values["destination_uuid"]) if values.get("destination_uuid") else None
    values["utterances"] = tuple(UtteranceRecord(**one) for one in values.get("utterances") or ())
    values["events"] = tuple(EventRecord(**one) for one in values.get("events") or ())
    values["usage"] = tuple(UsageItem(**one) for one in values.get("usage") or ())
    values["message"] = message_of(values["message"]) if values.get("message") else None
    return CallRecord(**values)


def message_of(given: dict[str, Any]) -> MessageRecord:
    """A message as `keep` wrote it. Raises ValueError, KeyError, TypeError."""
    return MessageRecord(**{**given, "message_uuid": UUID(given["message_uuid"])})
