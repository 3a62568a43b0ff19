"""The colleagues whose legs this node expects. Each is known by its UUID, its domain and its token, and comes once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import structlog

from eslbridge import jobs
from eslbridge.control import ControlError
from eslbridge.esl.call import OutboundCall
from eslbridge.work import consulting
from secretary.voicenode import metrics
from tenants.context import in_thread

log = structlog.get_logger(__name__)

LONGEST_S: Final = 400.0
"""How long a leg may be in a consultation, whatever happens; longer than any of its parts together."""


@dataclass(slots=True)
class Expected:
    """A leg that a worker is calling. `arrived` is its call, `over` is set when nothing more is done with it here."""

    domain_uuid: UUID
    call_uuid: UUID
    leg_uuid: UUID
    arrived: asyncio.Future[OutboundCall] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Consults:
    """One for a node."""

    def __init__(self) -> None:
        self._expected: dict[str, Expected] = {}

    @property
    def waiting(self) -> int:
        """How many legs are expected or being talked with."""
        return len(self._expected)

    @contextmanager
    def expect(self, *, domain_uuid: UUID, call_uuid: UUID, leg_uuid: UUID) -> Iterator[Expected]:
        """Expect this leg while the block runs; one that comes later is turned away."""
        expected = self._expected[str(leg_uuid)] = Expected(domain_uuid, call_uuid, leg_uuid)
        try:
            yield expected
        finally:
            del self._expected[str(leg_uuid)]
            expected.over.set()
            if not expected.arrived.done():
                expected.arrived.cancel()

    @staticmethod
    def is_colleague(call: OutboundCall) -> bool:
        """Whether this channel says that it is a colleague's leg, or was made of one, and no caller."""
        return bool(consulting.token_in(call.variables) or call.variables.get(consulting.LEG))

    async def receive(self, call: OutboundCall) -> bool:
        """Take in a leg that says so; returns when it is not needed here any more. False: it is a caller by now."""
        if consulting.token_in(call.variables):
            await self._take_in(call)
            return True
        if not await _still_calling(call.variables):
            return False  # a colleague who took the call has sent it on
        await _turn_away(call, "the dialplan brings a colleague's leg to a secretary", "EXCHANGE_ROUTING_ERROR")
        return True

    async def _take_in(self, call: OutboundCall) -> None:
        expected = self._expected.get(call.call_uuid)
        reason = self._why_not(call, expected)
        if reason or expected is None:
            await _turn_away(call, reason, "CALL_REJECTED")
            return
        expected.arrived.set_result(call)
        try:
            async with asyncio.timeout(LONGEST_S):
                await expected.over.wait()
        except TimeoutError:
            log.error("consult_too_long", leg=call.call_uuid)
            call.abort("failed")

    @staticmethod
    def _why_not(call: OutboundCall, expected: Expected | None) -> str:
        if expected is None:
            return "nobody expects it"
        if expected.arrived.done():
            return "it is here already"
        if call.variables.get("domain_uuid", "").lower() != str(expected.domain_uuid):
            return "another domain's"
        token = consulting.token_in(call.variables)
        bound = {"domain_uuid": expected.domain_uuid, "call_uuid": expected.call_uuid, "leg_uuid": expected.leg_uuid}
        return "" if consulting.is_token(token, **bound) else "a wrong token"


async def _still_calling(variables: Mapping[str, str]) -> bool:
    """Whether the job that made the leg still waits for a person; whichever node asked for it."""
    try:
        domain_uuid, job_uuid = UUID(variables.get("domain_uuid", "")), UUID(variables[consulting.LEG])
    except ValueError:
        return False
    status = await in_thread(jobs.status, domain_uuid=domain_uuid, job_uuid=job_uuid)
    return status is not None and not status.is_final


async def _turn_away(call: OutboundCall, reason: str, cause: str) -> None:
    metrics.REFUSED.labels("consult").inc()
    log.warning("consult_refused", leg=call.call_uuid, reason=reason)
    try:
        await call.hang_up(cause)
    except ControlError as error:
        log.info("consult_not_hung_up", leg=call.call_uuid, error=str(error))
