"""The colleague on the telephone: the shell around `conversation.consult`, as `Session` is around the conversation.

It brings the leg's audio here, speaks by the platform's voice, hears by its ear, and gives back how it went. It holds
no call: whoever made it bridges the leg or hangs it up.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import cache
from typing import Any, Final

import numpy as np
import structlog

from eslbridge import control as ctl
from eslbridge.esl.call import OutboundCall
from eslbridge.media.attach import Route, attach_leg
from eslbridge.media.contract import BYTES_PER_MS, AudioLeg
from eslbridge.media.node import MediaNode
from eslbridge.outcomes import TransferOutcome
from secretary.audio.turns import SpeechEnded, SpeechStarted, TurnDetector
from secretary.audio.vad import VoiceActivity
from secretary.conversation.consult import machine as con
from secretary.conversation.consult.sentences import consult_sentences
from secretary.conversation.ear import Ear
from secretary.speech.contract import PlatformEar, PlatformVoice, ProviderError

log = structlog.get_logger(__name__)

ATTACH_S: Final = 5.0
GAP_MS: Final = 250
"""Between two things that are said one after the other."""
TONE_MS: Final = 200
TONE_HZ: Final = 850.0

AskCaller = Callable[[bytes], Awaitable[bytes]]


async def nobody_asks(question: bytes) -> bytes:
    """There is nobody to be asked: no caller waits."""
    return b""


class Colleague:
    """One colleague. `run` once; `silence` before the leg is bridged; `close` in the end."""

    def __init__(
        self,
        *,
        call: OutboundCall,
        consult: con.Consult,
        media: MediaNode,
        route: Route,
        domain_uuid: str,
        voice_activity: VoiceActivity,
        voice: PlatformVoice | None,
        ear: PlatformEar | None,
        ask_caller: AskCaller,
    ) -> None:
        self._call, self._language = call, consult.language
        self._media, self._route, self._domain_uuid = media, route, domain_uuid
        self._voice_activity, self._voice, self._recogniser = voice_activity, voice, ear
        self._ask_caller = ask_caller
        self._machine = consult
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._leg: AudioLeg | None = None
        self._slot = -1
        self._turns, self._ear = TurnDetector(), Ear()
        self._turn = b""
        self._to_say: deque[tuple[str, bytes]] = deque()
        self._saying: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._finished: asyncio.Future[con.Finish] = self._loop.create_future()

    async def run(self) -> con.Finish:
        """Ask them. Raises AttachError, ControlError, TimeoutError where the audio cannot be had, RuntimeError."""
        async with asyncio.timeout(ATTACH_S):
            self._leg = await attach_leg(self._call, self._media, self._route, domain_uuid=self._domain_uuid)
        self._slot = self._voice_activity.open(self._judged)
        self._call.on_event(self._on_call_event)
        self._leg.listen(self)
        self._give(con.Started())
        # Shielded: the caller who hangs up takes whoever waits here, and the colleague has still to be told.
        return await asyncio.shield(self._finished)

    async def farewell(self) -> None:
        """The caller has hung up: say so, and end."""
        self._give(con.CallerGone())
        await self._finished

    def silence(self) -> None:
        """Send nothing any more: the channel is about to be taken from this leg."""
        if self._leg is not None:
            self._leg.hold()

    def close(self) -> None:
        """Release the audio. Idempotent."""
        for task in tuple(self._tasks):
            task.cancel()
        if self._timer is not None:
            self._timer.cancel()
        if self._slot >= 0:
            self._voice_activity.close(self._slot)
            self._slot = -1
        if self._leg is not None:
            self._leg.close()

    # What the leg and the switch tell -----------------------------------------------------------------------------

    def on_frame(self, frame: bytes) -> None:
        self._voice_activity.feed(self._slot, frame)
        self._ear.add(frame)

    def on_drained(self) -> None:
        if not self._to_say and (self._saying is None or self._saying.done()):
            self._give(con.Drained())

    def on_lost(self, reason: str) -> None:
        self._give(con.ColleagueGone(reason))

    def _on_call_event(self, event: ctl.CallEvent) -> None:
        match event:
            case ctl.Dtmf(digit, _):
                self._give(con.Key(digit))
            case ctl.HungUp(cause) | ctl.Left(cause):
                self._give(con.ColleagueGone(cause))

    def _judged(self, probability: float) -> None:
        turns, leg = self._turns, self._leg
        if leg is None:
            return
        if not turns.speaking:
            turns.alert = False
        match turns.update(probability, self._now()):
            case SpeechStarted(onset_ms):
                self._ear.begin()
                self._give(con.SpeechBegan(onset_ms))
            case SpeechEnded():
                self._turn = self._ear.end()
                self._give(con.SpeechEnded())

    # The machine --------------------------------------------------------------------------------------------------

    def _now(self) -> int:
        return int((self._loop.time() - self._began) * 1000)

    def _give(self, event: con.Event) -> None:
        for action in self._machine.receive(event, now=self._now()):
            self._do(action)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (deadline := self._machine.deadline) is not None and not self._finished.done():
            self._timer = self._loop.call_at(self._began + deadline / 1000, self._give, con.Tick())

    def _do(self, action: con.Action) -> None:
        match action:
            case con.Say(text, tone):
                self._say(text, _tone() if tone else b"")
            case con.PlayVoice(pcm):
                self._say("", pcm)
            case con.Hush():
                self._to_say.clear()
                if self._saying is not None:
                    self._saying.cancel()
                    self._saying = None  # what is said next begins anew
                if self._leg is not None:
                    self._leg.stop()
            case con.Understand():
                self._spawn(self._understand(self._turn))
            case con.AskCaller():
                self._spawn(self._ask(self._turn))
            case con.Finish():
                if not self._finished.done():
                    self._finished.set_result(action)

    def _say(self, text: str, sound: bytes) -> None:
        self._to_say.append((text, sound))
        if self._saying is None or self._saying.done():
            self._saying = self._spawn(self._speak())

    async def _speak(self) -> None:
        """One after the other; what cannot be said is left out, and the colleague still has the keys."""
        heard = False
        while self._to_say:
            text, sound = self._to_say.popleft()
            try:
                spoken = await self._voice.render(text, "", self._language) if text and self._voice else b""
            except ProviderError as error:
                log.warning("consult_voice_failed", error=str(error))
                spoken = b""
            if self._leg is not None and (spoken or sound):
                heard = True
                self._leg.play(spoken + sound + bytes(GAP_MS * BYTES_PER_MS))
        if not heard:
            self._give(con.Drained())

    async def _understand(self, turn: bytes) -> None:
        meaning, confidence = "", 0.0
        if self._recogniser is not None:
            try:
                meaning, confidence = await self._recogniser.meaning(turn, self._language, choices(self._language))
            except ProviderError as error:
                log.warning("consult_not_understood", error=str(error))
        known = con.Meaning(meaning) if meaning in set(con.Meaning) else con.Meaning.UNKNOWN
        self._give(con.Understood(known, confidence))

    async def _ask(self, turn: bytes) -> None:
        try:
            answer = await self._ask_caller(turn)
        except Exception as error:
            log.exception("caller_not_asked", error=repr(error))
            answer = b""
        self._give(con.CallerAnswered(answer))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("consult_task_failed", error=repr(error))
            if not self._finished.done():
                self._finished.set_result(con.Finish(TransferOutcome.FAILED, "internal error"))


@cache
def choices(language: str) -> Mapping[str, tuple[str, ...]]:
    """What a colleague may say besides yes and no."""
    words = consult_sentences(language)
    return {"who": words.who, "why": words.why, "question": words.wait}


@cache
def _tone() -> bytes:
    at = np.arange(TONE_MS * 8) / 8000
    edge = np.minimum(1.0, np.minimum(at, at[-1] - at) * 100)
    tone: bytes = (np.sin(2 * np.pi * TONE_HZ * at) * edge * 6000).astype("<i2").tobytes()
    return tone
