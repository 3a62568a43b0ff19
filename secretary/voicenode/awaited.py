"""A job that a caller waits for. The row is the truth about it: messages can be lost, also the one that has it done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from eslbridge import jobs
from eslbridge.control import ControlError
from eslbridge.models import JobOutcome, JobState
from eslbridge.outcomes import TransferOutcome
from secretary.conversation.office import Outcome
from tenants.context import in_thread

LOOK_EVERY_S: Final = 0.15
"""How often its row is read."""
SEND_AGAIN_S: Final = 4.0
"""A job that no worker has begun by then is handed to Celery once more: the sweeper would come when it has expired."""
ASK_AGAIN_S: Final = 1.0
"""How often the switch is asked for a leg, and how long it may take to answer."""
LEG_GONE_S: Final = 2.0
"""How long after a leg is gone from the switch its worker may take to say why."""


class Ringing:
    """Whether a leg that was on the switch is there no more, and its worker has not said why: it is dead."""

    def __init__(self, exists: Callable[[], Awaitable[bool]]) -> None:
        self._exists = exists
        self._asked_at = self._gone_at = float("-inf")
        self._seen = False

    async def stopped(self) -> bool:
        """Asks the switch once a second; what it does not answer is no news."""
        now = asyncio.get_running_loop().time()
        if now - self._asked_at < ASK_AGAIN_S:
            return False
        self._asked_at = now
        try:
            async with asyncio.timeout(ASK_AGAIN_S):
                there = await self._exists()
        except (ControlError, TimeoutError):
            return False
        if there or not self._seen:
            self._seen, self._gone_at = there, now
            return False
        return now - self._gone_at > LEG_GONE_S


class AwaitedJob:
    """Make it when the job is asked for."""

    def __init__(self, domain_uuid: UUID, job_uuid: UUID) -> None:
        self.job_uuid = job_uuid
        self._domain_uuid = domain_uuid
        self._again_at = asyncio.get_running_loop().time() + SEND_AGAIN_S

    async def ended(self) -> Outcome | None:
        """How it ended; None while it runs."""
        status = await in_thread(jobs.status, domain_uuid=self._domain_uuid, job_uuid=self.job_uuid)
        if status is None:
            return Outcome(TransferOutcome.FAILED, "the job is gone")
        if status.is_final:
            word = "ok" if status.outcome == JobOutcome.DONE else status.outcome or TransferOutcome.FAILED
            return Outcome(word, status.reason)
        if status.state == JobState.QUEUED and asyncio.get_running_loop().time() >= self._again_at:
            self._again_at = float("inf")
            await in_thread(jobs.enqueue, self._domain_uuid, self.job_uuid)
        return None

    async def end(self) -> Outcome:
        """Wait for it, as long as whoever asks has time: bound it."""
        while True:
            if (outcome := await self.ended()) is not None:
                return outcome
            await asyncio.sleep(LOOK_EVERY_S)

    async def take_back(self, why: str) -> bool:
        """False: its command has gone out."""
        return await in_thread(jobs.cancel, domain_uuid=self._domain_uuid, job_uuid=self.job_uuid, reason=why)
