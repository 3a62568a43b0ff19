"""A leg of the platform's own call that comes here to be told what it is about, and goes on to be connected.

Whatever fails here, the leg goes on: whoever picked up sees on the telephone who it is about. Only their no ends it, or
that nobody accepted where somebody has to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

import structlog

from eslbridge.control import ControlError
from eslbridge.esl.call import OutboundCall
from eslbridge.media.attach import AttachError
from eslbridge.media.contract import HAND_OVER_MS
from eslbridge.outcomes import TransferOutcome
from eslbridge.work import telling
from secretary.conversation.consult.machine import Finish
from secretary.selectors.told_callbacks import Told, told_of
from secretary.voicenode import metrics
from secretary.voicenode.colleague import Colleague
from tenants.context import in_thread

log = structlog.get_logger(__name__)

READ_S: Final = 3.0
"""How long PostgreSQL may take to say what there is to tell; the colleague hears nothing meanwhile."""
CAUSES: Final[Mapping[TransferOutcome, str]] = {
    TransferOutcome.DECLINED: "CALL_REJECTED",
    TransferOutcome.NO_ANSWER: "NO_ANSWER",
}
"""With what the leg is hung up: the worker's outcome."""

MakeColleague = Callable[[OutboundCall, Told], Colleague | None]


class Tellings:
    """One for a node. `colleague` gives None where the node has no voice to tell anything with."""

    def __init__(self, colleague: MakeColleague) -> None:
        self._colleague = colleague

    @staticmethod
    def is_one(call: OutboundCall) -> bool:
        """Whether this channel says that it is to be told something, and is no caller."""
        return bool(telling.token_in(call.variables))

    async def receive(self, call: OutboundCall) -> None:
        """Tell it, and let it go on, or hang it up."""
        domain_uuid = call.variables.get("domain_uuid", "")
        with structlog.contextvars.bound_contextvars(leg=call.call_uuid, domain=domain_uuid):
            if not telling.is_token(telling.token_in(call.variables), domain_uuid=domain_uuid, leg_uuid=call.call_uuid):
                metrics.REFUSED.labels("tell").inc()
                log.warning("telling_refused")
                await self._hang_up(call, "CALL_REJECTED")
                return
            finish = await self._tell(call, domain_uuid)
            if finish is None or finish.outcome not in CAUSES:
                await call.leave("done")
            else:
                await self._hang_up(call, CAUSES[finish.outcome])

    async def _tell(self, call: OutboundCall, domain_uuid: str) -> Finish | None:
        """What the colleague said to it; None: nothing could be told."""
        try:
            async with asyncio.timeout(READ_S):
                told = await in_thread(told_of, domain_uuid=UUID(domain_uuid), leg_uuid=UUID(call.call_uuid))
        except Exception as error:
            log.warning("nothing_to_tell", error=repr(error))
            return None
        colleague = self._colleague(call, told) if told is not None else None
        if colleague is None:
            return None
        try:
            finish = await colleague.run()
        except (AttachError, ControlError, TimeoutError, RuntimeError) as error:
            log.warning("not_told", error=repr(error))
            return None
        else:
            log.info("told", outcome=str(finish.outcome), detail=finish.detail)
            return finish
        finally:
            colleague.silence()
            await asyncio.sleep(HAND_OVER_MS / 1000)  # the switch has written all there was
            colleague.close()

    @staticmethod
    async def _hang_up(call: OutboundCall, cause: str) -> None:
        try:
            await call.hang_up(cause)
        except ControlError as error:
            log.info("told_leg_not_hung_up", error=str(error))
