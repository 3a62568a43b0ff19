"""How an originate goes on after its first answer: read from events of that leg and of the legs that it calls.

On a connection that is filtered to them. An early ring-back tone bridges the legs already, so that only the answer of
the other leg counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Final

from eslbridge.esl import commands
from eslbridge.esl.errors import CommandTimeout
from eslbridge.esl.events import Event
from eslbridge.esl.interface import EslClient
from eslbridge.jobs import JobResult
from eslbridge.models import JobOutcome
from eslbridge.outcomes import TransferOutcome, outcome_of
from eslbridge.work import telling

LOOK_S: Final = 0.1
ABANDONED: Final = frozenset({"NORMAL_CLEARING", "ORIGINATOR_CANCEL", "NONE", ""})


class Leg(StrEnum):
    """Whose telephone it is."""

    FIRST = "first"
    SECOND = "second"


def ended(leg: Leg, cause: str, *, answered: bool = True) -> JobResult:
    """The result of a leg that did not get to talk. `answered`: somebody had picked up the first telephone."""
    outcome = outcome_of(cause)
    if outcome is TransferOutcome.CALLER_GONE or (leg is Leg.FIRST and answered and cause == "NORMAL_CLEARING"):
        outcome = TransferOutcome.DECLINED  # the first telephone was hung up by who held it
    return JobResult(JobOutcome(str(outcome)), f"{leg}: {cause}", {"leg": str(leg), "cause": cause[:60]})


def cause_in(reply: str) -> str:
    """The hangup cause in `-ERR USER_BUSY`."""
    return reply.removeprefix("-ERR").strip().partition(" ")[0] or "NONE"


class Hearing:
    """What becomes of the second leg, as the switch tells it."""

    def __init__(self, leg: str) -> None:
        self.leg = leg
        self.result: JobResult | None = None
        self.told = self.dialled = False
        """Whether the leg is back from being told; whether the second number was dialled."""
        self.last_cause = ""
        """Of a second leg that was called in vain; a dialplan may try several."""

    def begin(self, watch: EslClient) -> None:
        """Have the events of the leg, and of legs that it calls, told to us."""
        watch.on_event(self.note)
        for header in commands.LEG_HEADERS:
            watch.api(commands.filter_(header, self.leg))
        watch.subscribe(["CHANNEL_ANSWER", "CHANNEL_BRIDGE", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_PARK"])

    def note(self, event: Event) -> None:
        mine = event.get("Unique-ID") == self.leg
        if not mine and event.get("Other-Leg-Unique-ID") != self.leg:
            return
        cause = event.get("Hangup-Cause") or event.get("variable_hangup_cause")
        if not mine and not self.dialled:
            return  # of the first telephone
        match event.name:
            case "CHANNEL_ANSWER" if not mine:
                self.result = self.result or JobResult(JobOutcome.DONE)
            case "CHANNEL_BRIDGE" if mine and event.get("Other-Leg-Channel-Answered-Time", "0") not in ("", "0"):
                self.result = self.result or JobResult(JobOutcome.DONE)
            case "CHANNEL_PARK" if mine:
                self.told = self.told or bool(event.get(f"variable_{telling.TOLD}"))
            case "CHANNEL_HANGUP_COMPLETE" if not mine:
                self.last_cause = cause
            case "CHANNEL_HANGUP_COMPLETE":
                # The leg's own end may be told before that of whom it called in vain: it knows that, too.
                self.last_cause = self.last_cause or event.get("variable_originate_failed_cause")
                self.result = self.result or self._end(cause)

    def _end(self, cause: str) -> JobResult:
        if not self.dialled:
            return ended(Leg.FIRST, "NORMAL_CLEARING" if cause in ABANDONED else cause)
        if self.last_cause not in ABANDONED:
            return ended(Leg.SECOND, self.last_cause)
        if cause in ABANDONED:
            return ended(Leg.FIRST, "NORMAL_CLEARING")
        return ended(Leg.SECOND, cause)

    def wait_told(self, watch: EslClient) -> JobResult | None:
        """Until whoever answered knows what it is about: None; else why nobody is dialled. Raises NotConnected."""
        self._listen(watch, telling.LONGEST_S, until=lambda: self.told)
        if self.result is None and not self.told:
            watch.uuid_kill(self.leg, "ORIGINATOR_CANCEL")
            return ended(Leg.FIRST, "NO_ANSWER")
        return self.result

    def _listen(self, watch: EslClient, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        deadline = time.monotonic() + seconds
        while self.result is None and not until() and time.monotonic() < deadline:
            # Waiting for whatever it is lets our callback run; what it heard is seen at the next look.
            with suppress(CommandTimeout):
                watch.wait_for_event("CHANNEL_HANGUP_COMPLETE", timeout_s=LOOK_S)

    def wait(self, watch: EslClient, seconds: float) -> JobResult:
        """Until it is known. Raises NotConnected."""
        self._listen(watch, seconds)
        if self.result is not None:
            return self.result
        if self.last_cause:  # the dialplan goes on without the second telephone: a mailbox, an announcement
            return ended(Leg.SECOND, self.last_cause)
        watch.uuid_kill(self.leg, "ORIGINATOR_CANCEL")
        return ended(Leg.SECOND, "NO_ANSWER")
