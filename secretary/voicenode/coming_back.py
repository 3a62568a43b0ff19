"""A caller whom we had sent into the dialplan, and who is here again: where they were, and how it went there.

The way back does not matter: the one that the transfer has prepared, or a queue's own dialplan that leads to the
secretary. The rows know where the caller was sent and when; the switch, how the last bridge went.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from django.utils import timezone

from eslbridge.control import ControlError
from eslbridge.esl.call import OutboundCall
from eslbridge.models import Job, JobKind, JobState
from eslbridge.outcomes import TransferOutcome, outcome_of
from secretary.models import Call, CallOutcome, Destination, DestinationKind, Utterance
from secretary.profiles import SecretaryProfile
from secretary.services.calls import NODE_LOST
from secretary.speech.contract import CameBack, Said
from secretary.speech.local.phrases import CUT_OFF, back_again
from secretary.voicenode.arrival import VISITS, Arrival
from tenants.context import tenant_context

log = structlog.get_logger(__name__)

MOST_VISITS: Final = 10
"""How often one channel may come to secretaries. Then it goes to the fallback, and if that leads here, it is ended."""
NOTHING_THERE_S: Final = 4.0
"""Whoever is back sooner was nowhere: the dialplan does not know the number, or what is there failed at once."""
MOST_LINES: Final = 40
COUNT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Back:
    """Who was tried, how that went, and what had been said before, the latest last."""

    told: CameBack
    name: str
    said: tuple[Said, ...] = ()

    def sentence(self, language: str) -> str:
        """What the caller is greeted with instead of the greeting: what happened, and what can be done now."""
        return back_again(self.told.outcome, self.name, language)


async def counted(call: OutboundCall, arrival: Arrival) -> int:
    """Which visit of this channel it is: dialplans that send it round for ever must come to an end.

    Beyond MOST_VISITS the caller belongs to the fallback; a fallback that leads here again is ended for good.
    """
    visits = arrival.visits + 1
    try:
        async with asyncio.timeout(COUNT_S):
            if visits > MOST_VISITS + 1:
                log.error("call_goes_round", call_uuid=arrival.call_uuid, visits=visits)
                await call.hang_up("EXCHANGE_ROUTING_ERROR")
            else:
                await call.set_variable(VISITS, str(visits))
    except (ControlError, TimeoutError) as error:
        log.info("visit_not_counted", call_uuid=arrival.call_uuid, error=str(error))
    return visits


def back_of(arrival: Arrival, profile: SecretaryProfile) -> Back | None:
    """None for a caller who has not just been with this secretary. Read it before the call's row is opened anew.

    Never raises: a greeting does as well.
    """
    try:
        call_uuid = UUID(arrival.call_uuid)
        with tenant_context(profile.domain_uuid):
            call = Call.objects.filter(call_uuid=call_uuid, secretary_id=profile.secretary_uuid).first()
            if call is not None and (call.outcome == CallOutcome.IN_PROGRESS or call.outcome_detail == NODE_LOST):
                return Back(CameBack("", CUT_OFF), "")  # its node died, and what was said died with it
            if call is None or call.outcome != CallOutcome.TRANSFERRED:
                return None
            moved = Job.objects.filter(call_uuid=call_uuid, kind__in=(JobKind.TRANSFER, JobKind.CONSULT))
            job = moved.order_by("-created_at").first()
            if job is None or (job.kind, job.state) != (JobKind.TRANSFER, JobState.DONE) or job.finished_at is None:
                return None
            place = Destination.objects.filter(pk=UUID(job.argument("destination_uuid"))).first()
            if place is None:
                return None
            away_s = (timezone.now() - job.finished_at).total_seconds()
            said = Utterance.objects.filter(call_id=call_uuid).order_by("-position").values_list("who", "text")
            return Back(
                CameBack(str(place.pk), how_it_went(place.kind, arrival.disposition, away_s)),
                place.name,
                tuple(Said(who, text) for who, text in reversed(said[:MOST_LINES])),
            )
    except Exception:
        log.exception("came_back_from_nowhere", call_uuid=arrival.call_uuid)
        return None


def how_it_went(kind: str, disposition: str, away_s: float) -> str:
    """The outcome of a transfer that came back. `over`: they were there, and it came to its end."""
    if disposition and disposition != "SUCCESS":
        return str(outcome_of(disposition))
    if away_s < NOTHING_THERE_S or kind == DestinationKind.SECRETARY:
        return str(TransferOutcome.UNREACHABLE)
    return str(TransferOutcome.NO_ANSWER) if kind == DestinationKind.QUEUE else "over"
