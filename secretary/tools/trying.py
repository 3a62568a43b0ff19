"""Trying a tool out, before a caller does: one run by a person, through the same judgement and the same guard."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from secretary.conversation.office import Outcome
from secretary.tools import schemas
from secretary.tools.http import client
from secretary.tools.http.load import ready_of
from secretary.tools.models import HttpTool
from tenants import audit, egress
from tenants.errors import UndecryptableError

LONGEST_S: Final = 10.0
"""A person waits for it, and a web process with them."""


@dataclass(frozen=True, slots=True)
class Tried:
    """How it went."""

    outcome: str
    detail: str
    duration_ms: int


def attempt(tool: HttpTool, arguments: Any) -> Tried:
    """Run a tool once. Inside the tenant. Never raises for what a server or an argument does."""
    began = time.monotonic()
    audit.log("httptool.tried", audit.subject_of(tool))
    try:
        accepted = schemas.accept(tool.name, tool.parameters, arguments)
        outcome = _run(tool, accepted)
    except schemas.ArgumentsError as error:
        outcome = Outcome("invalid_arguments", str(error))
    except UndecryptableError:
        outcome = Outcome("failed", "Its secret cannot be read: give it a new one.")
    return Tried(outcome.word, outcome.detail, round((time.monotonic() - began) * 1000))


def _run(tool: HttpTool, arguments: dict[str, Any]) -> Outcome:
    tool.timeout_s = min(tool.timeout_s, LONGEST_S)
    about = client.About(
        domain_uuid=tool.domain_uuid, secretary_uuid=UUID(int=0), call_uuid=str(uuid4()), caller_number="0000"
    )

    async def send(*args: Any, **more: Any) -> egress.Response:
        return egress.request(*args, **more)

    runner = client.run(tool=ready_of(tool), arguments=arguments, about=about, send=send)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(runner)
    runner.close()
    raise RuntimeError("a tool is tried in a thread, not on an event loop")
