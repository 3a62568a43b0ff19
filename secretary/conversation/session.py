"""The shell around the conversation: it owns the call's leg, provider and clock, and does what the machine says.

Everything here runs on the node's event loop. What must wait (a hang-up, a transfer, a message to be stored) runs as a
task of its own and comes back to the machine as an event, so that the voice never stops for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import structlog

from eslbridge import control as ctl
from eslbridge.control import CallControl
from eslbridge.media.contract import FRAME_MS, AudioLeg
from secretary.audio.hold_music import music
from secretary.audio.vad import VoiceActivity
from secretary.conversation import actions as act
from secretary.conversation import events as ev
from secretary.conversation.ear import Ear
from secretary.conversation.errands import Errands
from secretary.conversation.hearing import Hearing
from secretary.conversation.keeping import Keeping
from secretary.conversation.machine import Conversation
from secretary.conversation.office import Office, Outcome
from secretary.conversation.record import Record
from secretary.conversation.recording import Disk
from secretary.conversation.state import Rules, State
from secretary.conversation.tape import Tape
from secretary.conversation.waiting import Waiting
from secretary.speech.contract import FailureKind, SpeechSession, ToolCall

__all__ = ["Record", "Session"]

log = structlog.get_logger(__name__)

GOODBYE_S = 10.0
"""How long the work left when a call ends (storing a message, hanging up) may take."""
PROVIDER_S = 2.0
"""How long a provider may take to close; its contract says 1 s."""


class Session:
    """One call's conversation from the answer to the end. `run` returns the record and leaves nothing behind."""

    def __init__(
        self,
        *,
        call: CallControl,
        provider: SpeechSession,
        rules: Rules,
        voice_activity: VoiceActivity,
        office: Office,
        disk: Disk,
        message_path: Callable[[], Path],
        recording_path: Path | None = None,
        record_after_disclosure: bool = False,
        tape: Tape | None = None,
        began: float | None = None,
    ) -> None:
        self.record = Record()
        self._call, self._provider, self._office = call, provider, office
        self._errands = Errands(call, office, self._give, self._note)
        self._leg: AudioLeg | None = None
        self._disk = disk
        self._keeping = Keeping(
            disk, message_path, recording_path, after_disclosure=record_after_disclosure, by_switch=tape is not None
        )
        self._tape, self._tape_waits = tape, record_after_disclosure
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time() if began is None else began
        self._machine = Conversation(rules)
        self._voice_activity = voice_activity
        self._slot = -1
        self._early: ev.Event | None = None
        self._events: deque[ev.Event] = deque()
        self._giving = False
        self._ear = Ear()
        self._hearing = Hearing(rules, self._ear, self._machine, provider)
        self._max_cost = rules.max_cost
        self._music = False
        self._waiting: Waiting | None = None
        """The caller is being put through."""
        self._first: tuple[int, int] | None = None
        """An answer begins: heard voice before it, and when it was queued (ms); until its first frame has left."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._transferring: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._over: asyncio.Future[None] = self._loop.create_future()

    @property
    def recording(self) -> Path | None:
        return self._keeping.recording

    async def run(self, leg: AudioLeg) -> Record:
        """Hold the conversation on an answered call. The provider must be open.

        Raises RuntimeError when the node has no slot of voice activity left; the caller of `run` then ends the call.
        """
        self._leg = leg
        try:
            self._slot = self._voice_activity.open(self._judged)
            self._call.on_event(self._on_call_event)
            leg.listen(self)
            if self._tape is not None and not self._tape_waits:
                self._spawn(self._errands.record_on_switch(self._tape, self._keeping))
            self._give(self._early or ev.Started())
            await self._over
        finally:
            await self._clean_up()
        return self.record

    def drop(self, reason: str) -> None:
        """End the conversation from outside (the node is going down): the caller goes to the fallback."""
        self._give_even_early(ev.Broken("node", reason))

    def moved(self) -> None:
        """The call has come to a newer connection: this conversation is over, and the caller is not ours to send on."""
        self._give_even_early(ev.CallLeft("came back"))

    def allow(self, seconds: float | None) -> None:
        """The domain's quotas carry the call for so long from now on; None: without end."""
        until_ms = None if seconds is None else self._now() + round(seconds * 1000)
        self._give(ev.AllowanceChanged(until_ms))

    # What the leg, the switch and the provider tell ---------------------------------------------------------------

    def on_frame(self, frame: bytes) -> None:
        self._voice_activity.feed(self._slot, frame)
        self._ear.add(frame)
        self._provider.hear(frame)
        if self._keeping.active:
            self._keeping.caller(frame, self._now())
        if self._first is not None:
            self._first_frame(self._first)

    def on_drained(self) -> None:
        if self._waiting is not None:
            self._waiting.drained()
        elif self._music and self._leg is not None:
            self._play_music(self._leg)
        else:
            self._give(ev.Drained())

    def on_lost(self, reason: str) -> None:
        self._give(ev.Broken("leg", reason))

    def on_caller_text(self, text: str) -> None:
        self._give(ev.CallerText(text))

    def on_caller_interim(self, text: str) -> None:
        self._hearing.understood_so_far(text)

    def on_voice(self, utterance_id: str, text: str, pcm: bytes, last: bool) -> None:
        self._give(ev.VoiceArrived(utterance_id, text, pcm, last, self._provider.verbatim))

    def on_tool(self, call: ToolCall) -> None:
        self._give(ev.ToolCalled(call))

    def on_thinking(self) -> None:
        self._give(ev.Thinking())

    def on_speech_started(self) -> None:
        self._give(ev.ProviderHeard())

    def on_speech_stopped(self) -> None:
        self._hearing.turn_is_over()
        self._give(ev.ProviderStopped())

    def on_language(self, language: str) -> None:
        self._give(ev.LanguageChanged(language))

    def on_usage(self, unit: str, quantity: float, model: str = "") -> None:
        self._tell_cost()

    def on_failed(self, reason: str, kind: FailureKind = "protocol", retry_after_s: float | None = None) -> None:
        self._give_even_early(ev.Broken("provider", reason))

    def _on_call_event(self, event: ctl.CallEvent) -> None:
        match event:
            case ctl.Dtmf(digit, _):
                self._give(ev.Pressed(digit))
            case ctl.HungUp(cause):
                self._give(ev.CallEnded(cause))
            case ctl.Left(reason):
                self._give(ev.CallLeft(reason))
            case ctl.Bridged():
                pass  # followed by Left when the call is not ours any more

    def _judged(self, probability: float) -> None:
        leg = self._leg
        if leg is not None and (event := self._hearing.judge(probability, self._now(), leg)) is not None:
            if self._waiting is not None and self._waiting.asking:
                self._waiting.heard(event)
                return
            self._give(event)
            if isinstance(event, ev.CallerEnded):
                self._tell_cost()

    def _tell_cost(self) -> None:
        if self._max_cost:
            self._give(ev.Spent(self.record.cost))

    def _first_frame(self, first: tuple[int, int]) -> None:
        """An answer was queued: see whether its first frame has left. It was heard FRAME_MS after that."""
        before, queued_at = first
        if self._leg is not None and self._leg.heard_ms > before:
            self._first = None
            self._machine.latency.add("to_switch", self._now() - FRAME_MS - queued_at)

    # The machine --------------------------------------------------------------------------------------------------

    def _give_even_early(self, event: ev.Event) -> None:
        if self._leg is None:
            self._early = event  # told as soon as there is a conversation
        else:
            self._give(event)

    def _now(self) -> int:
        return int((self._loop.time() - self._began) * 1000)

    def _give(self, event: ev.Event) -> None:
        leg = self._leg
        if leg is None:
            return  # the provider speaks before the audio is there; nothing has begun
        self._events.append(event)
        if self._giving:
            return  # somebody answered from inside an action: the actions before it are done first
        self._giving = True
        try:
            while self._events:
                self._take(self._events.popleft(), leg)
        finally:
            self._giving = False
        deadline = self._machine.deadline
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            self._timer = self._loop.call_at(self._began + deadline / 1000, self._give, ev.Tick())

    def _take(self, event: ev.Event, leg: AudioLeg) -> None:
        now = self._now()
        for action in self._machine.receive(event, now=now, heard=leg.heard_ms):
            try:
                self._do(action, now, leg)
            except Exception:  # what cannot be done must not take the other actions with it, least of all the last
                log.exception("conversation_action_failed", action=type(action).__name__)
                self._events.append(ev.Broken("node", f"{type(action).__name__} failed"))

    def _do(self, action: act.Action, now: int, leg: AudioLeg) -> None:
        match action:
            case act.Play(pcm):
                if not leg.queued_ms:
                    self._first = (leg.heard_ms, now)
                self._keeping.played(pcm[: leg.play(pcm)], now)
            case act.StopVoice():
                leg.stop()
                self._keeping.stopped(now)
            case act.Say(text, _, keep):
                self._provider.say(text, keep=keep)
            case act.Duck(gain):
                leg.duck(gain)
            case act.Attend():
                self._ear.begin()
            case act.DropTurn():
                self._ear.end()
            case act.BeginTurn():
                self._provider.turn_started()
            case act.EndTurn():
                self._provider.turn_ended(self._ear.end())
            case act.TellInterrupted(utterance_id, heard_text, heard_ms):
                self._provider.interrupted(utterance_id, heard_text, heard_ms)
            case act.TellResumed(utterance_id):
                self._provider.resumed(utterance_id)
            case act.AnswerTool(tool_call_id, outcome, detail):
                self._provider.tool_result(tool_call_id, outcome, detail)
            case act.PassDigit(digit):
                self._provider.dtmf(digit)
            case act.StartMessage():
                self._keeping.start_message()
            case act.MessageBegun():
                if (path := self._keeping.message) is not None:
                    self._spawn(self._errands.note_message(path))
            case act.SaveMessage():
                # Ended here and not in the task: by then another message may have begun.
                path = self._keeping.message
                self._spawn(self._errands.save_message(action, path, self._keeping.end_message()))
            case act.RunTool(tool_call_id, name, arguments):
                self._spawn(self._errands.run_tool(tool_call_id, name, arguments))
            case act.SendDigits(tool_call_id, digits):
                self._spawn(self._errands.send_digits(tool_call_id, digits))
            case act.PauseRecording(tool_call_id):
                self._keeping.pause(True)
                self._spawn(self._errands.pause_recording(tool_call_id, self._tape))
            case act.ResumeRecording():
                self._keeping.pause(False)
                if self._tape is not None:
                    self._spawn(self._errands.resume_recording(self._tape))
            case act.HoldMusic(on):
                self._hold_music(on, leg)
            case act.Transfer(tool_call_id, destination_uuid):
                self.record.destination_uuid = destination_uuid
                self._waiting = Waiting(leg, self._ear)
                self._transferring = self._spawn(self._transfer(tool_call_id, destination_uuid, self._waiting))
            case act.HangUp(cause):
                self._spawn(self._errands.hang_up(cause))
            case act.Leave(reason):
                self._spawn(self._errands.leave(reason))
            case act.Line():
                self.record.add_line(action)
                self._office.live_line(action)
            case act.Note(kind, _, detail):
                if kind == "disclosed" and detail.get("whole"):
                    self._keeping.disclosed()
                    if self._tape is not None:
                        self._spawn(self._errands.record_on_switch(self._tape, self._keeping))
                self.record.add_note(action)
                self._office.live_note(action)
            case act.Close(outcome, detail):
                self.record.outcome, self.record.detail = outcome, detail
                if not self._over.done():
                    self._over.set_result(None)

    # What takes time ----------------------------------------------------------------------------------------------

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("conversation_task_failed", error=repr(error))

    def _note(self, kind: str, **detail: object) -> None:
        note = act.Note(kind, self._now(), detail)
        self.record.add_note(note)
        self._office.live_note(note)

    async def _transfer(self, tool_call_id: str, destination_uuid: str, waiting: Waiting) -> None:
        try:
            outcome = await self._office.transfer(destination_uuid, waiting)
        except Exception as error:
            log.exception("transfer_failed")
            outcome = Outcome("failed", str(error))
        if outcome.word != "ok" and self.record.outcome != "transferred":  # it may have gone all the same
            waiting.music(False)
            self._waiting = None
            self.record.destination_uuid = ""
            self._give(ev.ToolDone(tool_call_id, outcome.word, outcome.detail))

    def _hold_music(self, on: bool, leg: AudioLeg) -> None:
        """Music goes round until it is stopped; what was still being said goes first."""
        self._music = on
        if not on:
            leg.stop()
            self._machine.beside(b"", leg.heard_ms)
            self._keeping.stopped(self._now())
        elif not leg.queued_ms:
            self._play_music(leg)

    def _play_music(self, leg: AudioLeg) -> None:
        pcm = music()
        self._machine.beside(pcm, leg.heard_ms)
        self._keeping.played(pcm[: leg.play(pcm)], self._now())

    async def _clean_up(self) -> None:
        if self._slot >= 0:
            self._voice_activity.close(self._slot)
        if self._leg is not None:
            try:
                self._leg.close()
            except Exception:
                log.exception("leg_not_closed")
        self._keeping.end_recording(self._now())
        if self._machine.state is not State.ENDED:
            self._give(ev.Broken("node", "the session was cancelled"))
        if self._transferring is not None and self.record.outcome != "transferred":
            self._transferring.cancel()  # nobody is there any more to be put through
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=GOODBYE_S)
            for task in late:
                task.cancel()
                log.error("conversation_task_too_slow", task=task.get_name())
        if self._timer is not None:
            self._timer.cancel()
        try:
            async with asyncio.timeout(PROVIDER_S):
                await self._provider.close()
        except Exception:  # also TimeoutError: the record must be written, whatever a provider does
            log.exception("provider_not_closed")
        await self._keeping.end()
        self.record.latency = self._machine.latency.summary()
