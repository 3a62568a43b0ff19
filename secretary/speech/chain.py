"""A secretary's speech providers in one call: one speaks, and the next takes over when it cannot go on.

It is a `SpeechSession` like any other, so the conversation knows nothing of it. A provider fails by not opening within
OPEN_S, by `on_failed`, by an exception, or by silence (the deadlines are in `relay.py`). Then

 - the next one that its circuit allows is opened, with what was said and heard so far in its `Briefing`;
 - the caller's turn that has no answer is given to it, sound and all, so that nobody has to repeat anything;
 - tools that were called stay the platform's: how they end is told to the next provider, and to the caller;
 - within 2 s the caller hears something. If the next provider has not spoken by then, the platform's own voice has: the
   sentence that was due (a greeting, a question whether somebody is there), or that it takes a moment.

The last step is the local secretary, which needs nothing but this machine. When it fails too, the conversation is told
`on_failed`, and has a human or voicemail for the caller. While the first provider opens slowly the call begins all the
same: its greeting is spoken by the platform's voice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Final

import structlog

from secretary.speech import chain_metrics as metrics
from secretary.speech.breaker import Breaker
from secretary.speech.contract import (
    Briefing,
    FailureKind,
    ProviderError,
    Providers,
    SpeechListener,
    SpeechSession,
)
from secretary.speech.ear import Ear
from secretary.speech.metered import Metered
from secretary.speech.own_voice import OwnVoice
from secretary.speech.relay import SIGN_S, Note, Relay
from secretary.speech.steps import Step, ending_locally
from secretary.speech.takeover import CLOSE_S, FRAME, Line, as_failure, closed

OPEN_S: Final = 1.5
"""For a provider to take a call, connecting and its own handshake together."""
LAST_OPEN_S: Final = 5.0
"""The same for the last one, behind which there is nobody."""
GRACE_S: Final = 0.15
"""So long a call waits for its first provider: about what the audio takes to come here, which is awaited beside it."""
GREETING_S: Final = 1.0
"""A sentence that is due waits so long for a provider that opens; then the platform's voice says it."""
BRIDGE_S: Final = 1.0
"""After a failure, so long for the next provider to speak before the platform's voice bridges the gap."""
LISTENS_NEXT: Final = frozenset({"record_message"})
"""Tools after which it is the caller's turn to speak: the provider owes nothing."""
RENEW_S: Final = 60.0
"""A session whose time was over is opened anew at the same provider, but not more often than this."""
MOST_SAYINGS: Final = 8
MOST_DIGITS: Final = 32
TRAILING_SILENCE: Final = 40
"""Frames (800 ms) after a turn that is played to a provider which decides by itself that it is over."""
_SILENT: Final = "it said nothing"

log = structlog.get_logger(__name__)


class ChainSession:
    """One call's. Implements `SpeechSession`."""

    def __init__(
        self,
        steps: tuple[Step, ...],
        briefing: Briefing,
        *,
        providers: Providers,
        breaker: Breaker | None = None,
        note: Note = lambda kind, detail: None,
        exact: tuple[str, ...] = (),
        metered: Metered | None = None,
    ) -> None:
        """`note` writes into the call's timeline. `exact`: what is said in these very words, so by no model."""
        self._steps = ending_locally(steps)
        self._briefing, self._providers = briefing, providers
        self._breaker = breaker or Breaker(time.monotonic)
        self._note, self._exact = note, frozenset(text for text in exact if text)
        self.metered = metered or Metered()
        """What was used so far, and what it costs (`metered.cost`)."""
        self.relay = Relay(
            language=briefing.language,
            metered=self.metered,
            note=note,
            speak=self._say_ourselves,
            instead=self._says_instead,
            answered=self._answered,
            silent=self._silent,
        )
        self.relay.memory.lines.extend(Line(said.who, said.text) for said in briefing.history)
        self._own_voice = OwnVoice(providers.voice, briefing, self._spawn)
        self._session: SpeechSession | None = None
        self._ear: Ear | None = None
        self._position = self._generation = -1
        self._renewed_at = float("-inf")
        self._opening: asyncio.Task[None] | None = None
        self._work: set[asyncio.Task[None]] = set()
        self._digits = ""
        self._failed, self._reason = "", ""
        """Whose failure is being mended, and what it was."""

    # What it is now --------------------------------------------------------------------------------------------------

    @property
    def step(self) -> Step:
        """Who has the call, or is about to."""
        return self._steps[max(0, min(self._position, len(self._steps) - 1))]

    @property
    def detects_turns(self) -> bool:
        return self._session is not None and self._session.detects_turns

    @property
    def verbatim(self) -> bool:
        return self._session is None or self._session.verbatim

    asides = True
    """What the provider cannot say without remembering it, the platform's voice does."""

    def has_call(self, ear: Ear) -> bool:
        return self._ear is ear

    # SpeechSession ---------------------------------------------------------------------------------------------------

    async def open(self, listener: SpeechListener) -> None:
        """Begin. Raises ProviderError when it is known at once that nobody at all takes the call."""
        if self.relay.listener is not None:
            raise ProviderError("the session is open already")
        self.relay.listener = listener
        self._opening = self._spawn(self._advance(), "speech chain")
        if len(self._steps) > 1:
            self._own_voice.prepare(self.relay, self._exact)
        await asyncio.wait({self._opening}, timeout=LAST_OPEN_S if len(self._steps) == 1 else GRACE_S)
        if self._opening.done() and self._session is None:
            self.relay.listener = None
            raise ProviderError(self._reason or "no speech provider takes the call")

    def hear(self, frame: bytes) -> None:
        self.relay.heard.add(frame)
        if self._session is not None:
            self._tell(self._session.hear, frame)

    def turn_started(self) -> None:
        self.relay.caller_began()
        if self._session is not None:
            self._tell(self._session.turn_started)

    def turn_ended(self, pcm: bytes) -> None:
        self.relay.heard.ended()
        self.relay.caller_ended(pcm)
        if self._session is None:
            self.relay.bridge_in(BRIDGE_S)
        else:
            self.relay.await_sign()
            self._tell(self._session.turn_ended, pcm)

    def say(self, text: str, *, keep: bool = True) -> None:
        if not self.relay.memory.sayings:
            self.relay.due_at = asyncio.get_running_loop().time()
        self._ask(text, keep)

    def _ask(self, text: str, keep: bool) -> None:
        session, sayings = self._session, self.relay.memory.sayings
        if session is None:
            ours = self._position >= len(self._steps)  # nobody comes any more
        else:
            ours = not session.verbatim and (text in self._exact or not (keep or session.asides))
        if ours:
            self._say_ourselves(text)
            return
        sayings.append((text, keep))
        del sayings[:-MOST_SAYINGS]
        if session is None:
            self.relay.bridge_in(GREETING_S)
        else:
            self.relay.await_saying()
            self._tell(session.say, text, keep=keep)

    def interrupted(self, utterance_id: str, heard_text: str, heard_ms: int) -> None:
        self.relay.memory.heard_only(utterance_id, heard_text)
        self.relay.watch.clear("stall")
        if self._session is not None and (own := self._own(utterance_id)) is not None:
            self._tell(self._session.interrupted, own, heard_text, heard_ms)

    def resumed(self, utterance_id: str) -> None:
        self.relay.nothing_due()
        self.relay.memory.heard_all(utterance_id)
        if self._session is not None and (own := self._own(utterance_id)) is not None:
            self._tell(self._session.resumed, own)

    def tool_result(self, tool_call_id: str, outcome: str, detail: str = "") -> None:
        memory = self.relay.memory
        call = memory.tools.pop(tool_call_id, None)
        if self._session is not None and (own := self._own(tool_call_id)) is not None:
            if outcome != "interrupted" and not (call is not None and call.name in LISTENS_NEXT):
                self.relay.await_sign()
            self._tell(self._session.tool_result, own, outcome, detail)
        elif call is not None:  # of a provider that is gone
            memory.ended(call, outcome, detail)
            if outcome != "interrupted":
                self.say(self.relay.bridges.done if outcome == "ok" else self.relay.bridges.not_done)

    def dtmf(self, digit: str) -> None:
        self.relay.asked_more()
        if self._session is None:
            self._digits = (self._digits + digit)[-MOST_DIGITS:]
        else:
            self._tell(self._session.dtmf, digit)

    async def close(self) -> None:
        self.relay.listener = self._ear = None
        self.relay.watch.clear_all()
        self.metered.ends()
        session, self._session = self._session, None
        if session is not None:
            self._spawn(closed(session), "close speech")
        if self._opening is not None:
            self._opening.cancel()
        if self._work:
            _, late = await asyncio.wait(self._work, timeout=CLOSE_S)
            for task in late:
                task.cancel()

    # Taking over -----------------------------------------------------------------------------------------------------

    def failed(self, reason: str, kind: FailureKind, retry_after_s: float | None = None) -> None:
        """The provider that has the call cannot go on (told by its `Ear`)."""
        session, self._session, self._ear = self._session, None, None
        if self.relay.listener is None:
            return
        step, now = self.step, asyncio.get_running_loop().time()
        self._breaker.failed(step, self._briefing.domain_uuid, kind, retry_after_s)
        self._tell_failure(step, reason, kind)
        self.metered.ends()
        if session is not None:
            self._spawn(closed(session), "close speech")
        self.relay.broken_off()
        if kind == "expired" and now - self._renewed_at > RENEW_S:
            self._renewed_at = now
            self._position -= 1  # the session's time was over, not the provider's
        memory = self.relay.memory
        if (memory.turn is not None or memory.sayings) and not self.relay.caller_speaks:
            # After silence the caller has waited long enough, unless told so; else the next provider may be quick.
            self.relay.bridge_in(0.0 if reason.startswith(_SILENT) and not self.relay.bridged else BRIDGE_S)
        self._opening = self._spawn(self._advance(), "speech chain")

    async def _advance(self) -> None:
        """Open the next provider that takes the call; tell the conversation when there is none."""
        while self.relay.listener is not None:
            self._position += 1
            if self._position >= len(self._steps):
                self._all_failed(self.relay.listener)
                return
            step = self.step
            is_last = self._position == len(self._steps) - 1
            if not is_last and not self._breaker.allows(step, self._briefing.domain_uuid):
                self._failed, self._reason = step.provider, "left alone after failures"
                self._note("provider_skipped", {"provider": step.provider})
            elif await self._opened(step, LAST_OPEN_S if is_last else OPEN_S):
                return

    async def _opened(self, step: Step, patience_s: float) -> bool:
        self._generation += 1
        ear, session = Ear(self, self._generation), None
        began = asyncio.get_running_loop().time()
        memory = self.relay.memory
        told = replace(
            self._briefing,
            voice=step.voice or self._briefing.voice,
            language=self.relay.language,
            history=memory.history(),
            instructions=memory.instructions(self._briefing.instructions),
        )
        try:
            session = self._providers.session(step.provider, told, step.access)
            async with asyncio.timeout(patience_s):
                await session.open(ear)
            if ear.failure is not None:
                raise ear.failure
        except asyncio.CancelledError:
            if session is not None:
                await closed(session)
            raise
        except Exception as error:
            failure = as_failure(error)
            self._breaker.failed(step, self._briefing.domain_uuid, failure.kind, failure.retry_after_s)
            self._tell_failure(step, str(failure), failure.kind)
            if session is not None:
                self._spawn(closed(session), "close speech")
            return False
        metrics.OPENED.labels(step.provider).observe(asyncio.get_running_loop().time() - began)
        self._take_over(step, session, ear)
        return True

    def _take_over(self, step: Step, session: SpeechSession, ear: Ear) -> None:
        self._session, self._ear = session, ear
        self.metered.begins(step)
        self.relay.sign_s = step.patience_s or SIGN_S
        if self._failed:
            metrics.CHANGED.labels(self._failed, step.provider).inc()
            self._note("provider_changed", {"from": self._failed, "to": step.provider, "reason": self._reason[:300]})
            self._failed = self._reason = ""
        memory, self.relay.known_words = self.relay.memory, False
        sayings, memory.sayings = memory.sayings, []
        if sayings and memory.turn is None:
            self.relay.watch.clear("bridge")  # it has its time for them
        for text, keep in sayings:
            self._ask(text, keep)
        digits, self._digits = self._digits, ""
        for digit in digits:
            self.dtmf(digit)
        # A caller who is speaking now is given to it at the end of the turn, whole; or, where it decides when that is,
        # from the beginning of the turn.
        if self.relay.caller_speaks and session.detects_turns:
            self._play_to(session, self.relay.heard.so_far)
        elif memory.turn is not None and not self.relay.caller_speaks:
            self.relay.await_sign()
            self.relay.known_words = memory.worded
            self._replay(session, memory.turn)
        ear.release()

    def _replay(self, session: SpeechSession, turn: bytes) -> None:
        """Give the caller's turn to a provider that was not there to hear it."""
        if not session.detects_turns:
            self._tell(session.turn_ended, turn)
            return
        self._play_to(session, turn + bytes(FRAME * TRAILING_SILENCE))

    def _play_to(self, session: SpeechSession, pcm: bytes) -> None:
        for begin in range(0, len(pcm) - FRAME + 1, FRAME):
            self._tell(session.hear, pcm[begin : begin + FRAME])

    def _all_failed(self, listener: SpeechListener) -> None:
        self.relay.watch.clear_all()
        self._note("providers_exhausted", {"reason": self._reason[:300]})
        listener.on_failed(self._reason or "no speech provider takes the call", "unreachable")

    def _say_ourselves(self, text: str) -> None:
        self._own_voice.say(self.relay, text)

    def _says_instead(self) -> bool:
        """Whether the provider was asked for what is due now; the local secretary has the platform's voice itself."""
        return self._session is not None

    def _answered(self) -> None:
        """It is well when it answers: some open a session without asking anybody whether they can."""
        self._breaker.succeeded(self.step, self._briefing.domain_uuid)

    # Small things ----------------------------------------------------------------------------------------------------

    def _silent(self, seconds: float) -> None:
        # Behind the last one there is nobody; the conversation has a watchdog of its own.
        if self._ear is not None and self._position < len(self._steps) - 1:
            self._ear.on_failed(f"{_SILENT} for {seconds:g} s", "unreachable")

    def _tell(self, method: Callable[..., None], *arguments: object, **named: object) -> None:
        """A provider that raises is a provider that failed."""
        ear = self._ear
        try:
            method(*arguments, **named)
        except Exception as error:
            log.exception("speech_provider_raised", provider=self.step.provider, call_uuid=self._briefing.call_uuid)
            if ear is not None:
                ear.on_failed(f"internal error: {type(error).__name__}", "protocol")

    def _tell_failure(self, step: Step, reason: str, kind: FailureKind) -> None:
        self._failed, self._reason = step.provider, reason
        metrics.FAILED.labels(step.provider, kind).inc()
        about: dict[str, object] = {"provider": step.provider, "kind": kind, "reason": reason[:300]}
        self._note("provider_failed", about)
        log.warning("speech_provider_failed", call_uuid=self._briefing.call_uuid, **about)

    def _own(self, name: str) -> str | None:
        """A name as the provider that has the call gave it; None: it is somebody else's."""
        return None if self._ear is None else self._ear.own(name)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._work.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("speech_chain_broke", call_uuid=self._briefing.call_uuid, exc_info=error)
            if task is self._opening and self.relay.listener is not None:
                self.relay.listener.on_failed("internal error in the chain of providers", "protocol")
