"""What remains of the demo's call: var/demo/summary.json, in a shape that others may read."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from eslbridge.simulator.caller import Caller
from secretary.demo.scenarios import Result
from secretary.models import CallOutcome
from secretary.selectors.one_call import WholeCall, whole_call
from tenants.context import tenant_context


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the transcript; ms since the call's start."""

    who: str
    text: str
    start_ms: int
    end_ms: int
    interrupted: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"who": self.who, "text": self.text, "start_ms": self.start_ms, "end_ms": self.end_ms}


@dataclass(frozen=True, slots=True)
class Summary:
    """The call as the platform has recorded it, with what the caller's own telephone measured."""

    call_uuid: str
    domain: str
    secretary: str
    scenario: str
    transport: str
    transcript: tuple[Line, ...]
    events: tuple[tuple[int, str], ...]
    """(ms since the call's start, kind)."""
    outcome: str
    outcome_detail: str
    destination: str
    """Name and number, as `Sales (1001)`; empty for none."""
    destination_number: str
    recording: str
    latency_ms: dict[str, int]
    result: Result
    expected: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "call_uuid": self.call_uuid,
            "domain": self.domain,
            "secretary": self.secretary,
            "transcript": [line.as_json() for line in self.transcript],
            "outcome": self.outcome,
            "destination": self.destination,
            "recording": self.recording,
            "latency_ms": self.latency_ms,
            "destination_number": self.destination_number,
            "outcome_detail": self.outcome_detail,
            "scenario": self.scenario,
            "transport": self.transport,
            "expected": self.expected,
        }

    def write(self, path: Path) -> None:
        """Whole or not at all: a reader never finds half a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(path.name + ".part")
        half.write_text(json.dumps(self.as_json(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        os.replace(half, path)


def read_call(domain_uuid: UUID, call_uuid: UUID) -> WholeCall | None:
    """The call's rows, once it has ended; None before. Sync."""
    with tenant_context(domain_uuid):
        whole = whole_call(call_uuid=call_uuid)
        if whole is None or whole.call.outcome == CallOutcome.IN_PROGRESS:
            return None
        _ = (whole.call.secretary, whole.call.destination)  # read here, inside the tenant
        return whole


def telephone_latency(caller: Caller) -> dict[str, int]:
    """What the caller's telephone has measured (ms): the far end's view, with the whole way of the audio in it."""
    figures: dict[str, int] = {}
    if caller.first_voice_ms is not None:
        figures["heard_greeting"] = caller.first_voice_ms
    gaps, overlaps = caller.answer_gaps_ms(), caller.overlaps_ms()
    if gaps:
        figures["heard_response"] = sorted(gaps)[len(gaps) // 2]
    if overlaps:
        figures["heard_stop"] = max(overlaps)
    return figures
