"""Who speaks in a node's calls: each call's chain of speech services, and the circuits that calls share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from secretary.conversation.session import Session
from secretary.profiles import UsageItem
from secretary.speech.breaker import Breaker
from secretary.speech.chain import ChainSession
from secretary.speech.chain_metrics import LEFT_ALONE
from secretary.speech.contract import Briefing, Providers
from secretary.speech.metered import Metered, Used
from secretary.speech.relay import Note
from secretary.voicenode import desk


class Speakers:
    """One for a node."""

    def __init__(self, providers: Providers) -> None:
        self._providers = providers
        self._breaker = Breaker(time.monotonic)
        LEFT_ALONE.set_function(lambda: self._breaker.open)

    def chain(self, admitted: desk.Admitted, told: Briefing, note: Note) -> ChainSession:
        """The services of one call, one after the other where need be. `note` writes into its timeline."""
        speech = admitted.speech
        before = (Used(one.provider, one.model, one.unit, one.quantity) for one in admitted.used)
        prices = {key: float(price) for key, price in speech.prices.items()}
        return ChainSession(
            speech.steps,
            told,
            providers=self._providers,
            breaker=self._breaker,
            note=note,
            exact=(admitted.profile.disclosure,),
            metered=Metered(prices, before, asyncio.get_running_loop().time),
        )


def used_so_far(sessions: Iterable[tuple[str, Session]]) -> dict[UUID, tuple[tuple[UsageItem, ...], Decimal]]:
    """What calls have used beyond one service's time, and what that costs besides their seconds."""
    found = {}
    for call_uuid, session in sessions:
        metered = session.record.metered
        if metered is not None and (items := desk.usage_of(metered))[1:]:
            found[UUID(call_uuid)] = (items, Decimal(str(metered.spent)))
    return found
