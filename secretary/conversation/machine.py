"""The conversation itself, without sockets or clocks: events and the time go in, actions come out.

    greeting ─▶ listening ⇄ speaking ─▶ transferring ─▶ ended
                    └────────┴──────────▶ leaving ─────▶ ended

A tool that the provider calls waits until the caller has heard what was said before it, so a transfer never cuts the
sentence that announces it; a caller who speaks into that sentence takes the tool back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from secretary.conversation import actions as act
from secretary.conversation import events as ev
from secretary.conversation.latency import Latency
from secretary.conversation.playout import Heard, Playout
from secretary.conversation.sentences import sentences
from secretary.conversation.state import MOST_WAITING_TURNS, Message, Rules, State, Turn
from secretary.conversation.watchdogs import Watchdogs
from secretary.speech.contract import ToolCall


class Conversation:
    """One conversation. Give every event to `receive`, do what it returns, and call it with Tick at `deadline`."""

    def __init__(self, rules: Rules) -> None:
        self.state = State.GREETING
        self.latency = Latency()
        self._rules = rules
        self._say = sentences(rules.language)
        self._playout = Playout()
        self._watch = Watchdogs(rules.silence_prompts)
        self._pending_tool: ToolCall | None = None
        self._running_tool: ToolCall | None = None
        self._speaking: Turn | None = None
        self._wordless: deque[Turn] = deque(maxlen=MOST_WAITING_TURNS)
        self._unanswered: Turn | None = None
        self._cut_utterances: deque[str] = deque(maxlen=8)
        self._ending: Callable[[], list[act.Action]] | None = None
        self._outcome, self._detail = "completed", ""
        self._message = Message.NONE
        self._has_message = False
        self._sounding = False
        self._lost = ""
        self._now = 0
        self._heard = 0
        self._out: list[act.Action] = []

    @property
    def deadline(self) -> int | None:
        """When to call `receive` with Tick at the latest, on the call's clock (ms); None for never."""
        return self._watch.next

    def receive(self, event: ev.Event, *, now: int, heard: int) -> list[act.Action]:
        """Take an event at `now` ms on the call's clock, with `heard` ms of voice heard so far; do what it returns."""
        if self.state is State.ENDED:
            return []
        self._now, self._heard, self._out = now, heard, []
        match event:
            case ev.Started():
                self._started()
            case ev.VoiceArrived():
                self._voice_arrived(event)
            case ev.Drained():
                self._drained()
            case ev.CallerStarted(onset_ms):
                self._caller_started(onset_ms)
            case ev.CallerEnded(last_sound_ms):
                self._caller_ended(last_sound_ms)
            case ev.CallerText(text):
                self._caller_text(text)
            case ev.ToolCalled(call):
                self._tool_called(call)
            case ev.ToolDone():
                self._tool_done(event)
            case ev.Pressed(digit):
                self._pressed(digit)
            case ev.CallEnded(cause):
                self._call_ended(cause)
            case ev.CallLeft(reason):
                self._call_left(reason)
            case ev.Broken(part, reason):
                self._broken(part, reason)
            case ev.AllowanceChanged(until_ms):
                self._allow(until_ms)
            case ev.Tick():
                pass
        self._settle()
        self._watchdogs()
        self._leave_no_corner()
        return self._out

    # What happens -------------------------------------------------------------------------------------------------

    def _started(self) -> None:
        self._note("answered")
        self._watch.set("call", self._now + self._rules.max_call_ms)
        self._allow(self._rules.allowed_ms)
        if self._rules.greeting:
            self._watch.set("answer", self._now + self._rules.greeting_ms)
            self._out.append(act.Say(self._rules.greeting))
        else:
            self._listen()

    def _allow(self, until_ms: int | None) -> None:
        if until_ms is None:
            self._watch.clear("allowance")
        elif self.state is not State.LEAVING:
            self._watch.set("allowance", max(self._now, until_ms - self._rules.goodbye_ms))

    def _voice_arrived(self, voice: ev.VoiceArrived) -> None:
        if voice.utterance_id in self._cut_utterances or self.state is State.TRANSFERRING:
            return  # the caller spoke, or has gone: what was still under way of it must not be heard
        if self._speaking is not None:
            self._cut_utterances.append(voice.utterance_id)
            self._out.append(act.TellInterrupted(voice.utterance_id, "", 0))
            return
        self._watch.clear("answer")
        self._watch.clear("silence")
        self._measure_first_voice()
        self._playout.queued(
            voice.utterance_id, voice.text, len(voice.pcm), voice.last, now=self._now, heard=self._heard
        )
        if voice.pcm:
            self._sounding = True
            self._out.append(act.Play(voice.pcm))
        if self.state is State.LISTENING:
            self.state = State.SPEAKING

    def _measure_first_voice(self) -> None:
        if self._playout.open:
            return
        if self.state is State.GREETING:
            self.latency.add("greeting", self._now)
        if self._unanswered is not None:
            self.latency.add("answer", self._now - self._unanswered.decided_ms)
            self.latency.add("response", self._now - self._unanswered.last_sound_ms)
            self._unanswered = None

    def _drained(self) -> None:
        self._sounding = False
        self._heard = max(self._heard, self._playout.end)
        if self._playout.unfinished:  # the provider is slower than speech; more of this utterance must come
            self._watch.set("answer", self._now + self._rules.answer_ms)

    def _caller_started(self, onset_ms: int) -> None:
        self._watch.calm()
        if self._speaking is not None or self.state in (State.LEAVING, State.TRANSFERRING):
            return
        self._watch.clear("silence")
        self._watch.clear("answer")
        self._speaking = Turn(onset_ms)
        if self._message is Message.OPEN:
            self._message = Message.BEGUN
            self._out.append(act.MessageBegun())
        if self._playout.open:
            self._barge_in(onset_ms)
        if self._pending_tool is not None:
            self._out.append(act.AnswerTool(self._pending_tool.tool_call_id, "interrupted"))
            self._pending_tool = None
        self.state = State.LISTENING
        self._out.append(act.BeginTurn())

    def _barge_in(self, onset_ms: int) -> None:
        self._out.append(act.StopVoice())
        self.latency.add("stop", self._now - onset_ms)
        cut = self._cut_voice()
        self._out += [act.TellInterrupted(heard.utterance_id, heard.text, heard.heard_ms) for heard in cut]
        self._note("barge_in", onset_ms=onset_ms, heard_ms=cut[0].heard_ms if cut else 0)

    def _caller_ended(self, last_sound_ms: int) -> None:
        turn, self._speaking = self._speaking, None
        if turn is None or self.state in (State.LEAVING, State.TRANSFERRING):
            return
        turn.last_sound_ms, turn.decided_ms = last_sound_ms, self._now
        self.latency.add("end_of_turn", self._now - last_sound_ms)
        self._wordless.append(turn)
        self._unanswered = turn
        self._watch.set("answer", self._now + self._rules.answer_ms)
        self._out.append(act.EndTurn())

    def _caller_text(self, text: str) -> None:
        if not self._wordless:
            return
        turn = self._wordless.popleft()
        self.latency.add("understanding", self._now - turn.decided_ms)
        self._watch.understood()
        if text.strip():
            self._out.append(act.Line("caller", text.strip(), turn.onset_ms, turn.last_sound_ms))
        elif self._message is not Message.BEGUN:
            self._note("not_understood", start_ms=turn.onset_ms, end_ms=turn.last_sound_ms)

    def _pressed(self, digit: str) -> None:
        self._note("dtmf", digit=digit)
        self._watch.calm()
        self._out.append(act.PassDigit(digit))
        self._arm_silence()

    def _tool_called(self, call: ToolCall) -> None:
        if self.state is State.LEAVING:
            return
        self._watch.clear("answer")
        self._note("tool", name=call.name)
        if self._pending_tool is not None or self._running_tool is not None:
            self._out.append(act.AnswerTool(call.tool_call_id, "busy"))
        elif call.name not in ("transfer", "end_call"):
            self._run_tool(call)
        elif self._speaking is not None:
            self._out.append(act.AnswerTool(call.tool_call_id, "interrupted"))
        else:
            self._pending_tool = call

    def _tool_done(self, done: ev.ToolDone) -> None:
        tool = self._running_tool
        if tool is None or tool.tool_call_id != done.tool_call_id:
            return
        self._running_tool = None
        self._watch.clear("tool")
        self._note("tool_done", name=tool.name, outcome=done.outcome, detail=done.detail)
        if self.state is State.TRANSFERRING:
            self._watch.clear("transfer")
            self.state = State.LISTENING
            if self._lost:
                self._leave(f"{self._lost}_failed", "")
                return
        self._watch.set("answer", self._now + self._rules.answer_ms)
        self._out.append(act.AnswerTool(done.tool_call_id, done.outcome, done.detail))

    def _call_ended(self, cause: str) -> None:
        self._cut_voice()
        self._keep_begun_message()
        self._close("message" if self._has_message else "caller_hung_up", cause)

    def _call_left(self, reason: str) -> None:
        self._cut_voice()
        self._keep_begun_message()
        self._close("transferred", reason)

    def _broken(self, part: str, reason: str) -> None:
        self._note("broken", part=part, reason=reason)
        if part in ("leg", "provider") and self.state is State.TRANSFERRING:
            # The audio ends before the call is told to have left us, and nobody needs a provider to be put through:
            # leaving now would send the caller two ways at once. It counts if the transfer fails.
            self._lost = part
        elif part == "provider" and self.state is not State.LEAVING:
            self._leave("provider_failed", self._say.trouble)
        else:
            self._leave(f"{part}_failed", "")

    # What follows from it -----------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Write what has been heard, and go on when all of it has."""
        for heard in self._playout.settled(now=self._now, heard=self._heard):
            self._line(heard)
        if self._playout.open or self.state is State.ENDED:
            return
        if self.state is State.LEAVING:
            if self._ending is not None and not self._watch.pending("answer"):
                self._finish()
            return
        if self._pending_tool is not None and self._speaking is None:
            self._run_tool(self._pending_tool)
        elif self.state in (State.SPEAKING, State.GREETING) and not self._watch.pending("answer"):
            self._listen()

    def _leave_no_corner(self) -> None:
        """While neither side speaks something is due soon, whatever order things came in: if nothing else, an answer.

        A refused tool, or words whose sound never comes, would otherwise leave the caller in silence for minutes.
        """
        quiet = self._speaking is None and not self._sounding
        if quiet and self.state is not State.ENDED and not self._watch.any_of("answer", "silence", "transfer", "tool"):
            self._watch.set("answer", self._now + self._rules.answer_ms)

    def _listen(self) -> None:
        self.state = State.LISTENING
        self._arm_silence()

    def _arm_silence(self) -> None:
        if self._speaking is None and self.state is State.LISTENING and not self._playout.open:
            self._watch.set("silence", self._now + self._rules.silence_ms)

    def _run_tool(self, call: ToolCall) -> None:
        self._pending_tool, self._running_tool = None, call
        match call.name:
            case "transfer":
                self.state = State.TRANSFERRING
                self._watch.clear("silence")
                self._watch.set("transfer", self._now + self._rules.transfer_ms)
                self._out.append(act.Transfer(call.tool_call_id, str(call.arguments.get("destination_uuid", ""))))
            case "record_message":
                self._running_tool = None
                self._keep_begun_message()
                self._message = Message.OPEN
                self._watch.set("message", self._now + self._rules.message_ms)
                self._out += [act.StartMessage(), act.AnswerTool(call.tool_call_id, "ok")]
                self._arm_silence()
            case "take_message":
                self._message, self._has_message = Message.SAVED, True
                self._watch.clear("message")
                self._watch.set("tool", self._now + self._rules.save_ms)
                complete = call.arguments.get("complete", True) is not False
                self._out.append(act.SaveMessage(call.tool_call_id, str(call.arguments.get("text", "")), complete))
            case "end_call":
                self._keep_begun_message()
                self._out.append(act.HangUp())
                self._close("message" if self._has_message else "completed", str(call.arguments.get("reason", "")))
            case _:
                self._running_tool = None
                self._out.append(act.AnswerTool(call.tool_call_id, "unknown", f"there is no tool named {call.name}"))

    def _keep_begun_message(self) -> None:
        """Save a message that the caller has begun and cannot finish, if there is one."""
        if self._message is Message.BEGUN:
            self._message, self._has_message = Message.SAVED, True
            self._out.append(act.SaveMessage("", "", complete=False))

    def _watchdogs(self) -> None:
        for name in self._watch.due(self._now):
            if self._over():
                return
            match name:
                case "call" | "allowance" if self.state is State.TRANSFERRING:
                    # Hanging up now would race with the worker; a transfer has a deadline of its own.
                    self._watch.set(name, self._now + self._rules.transfer_ms)
                case "call":
                    self._say_last(self._say.time_is_up, lambda: [act.HangUp()])
                case "allowance":
                    self._leave("allowance_used_up", self._say.allowance)
                case "silence":
                    self._caller_is_silent()
                case "answer":
                    self._provider_is_silent()
                case "transfer" | "tool" if self._running_tool is not None:
                    self._tool_done(ev.ToolDone(self._running_tool.tool_call_id, "failed", "no answer in time"))
                case "message":
                    self._say_last(self._say.time_is_up, lambda: [act.HangUp()])
                case "leave" if self._ending is not None:
                    self._finish()
                case _:
                    pass

    def _caller_is_silent(self) -> None:
        if self._watch.silent_again():
            self._leave("silent_caller", self._say.nobody_there)
            return
        self._note("reprompt")
        self._watch.set("answer", self._now + self._rules.answer_ms)
        self._out.append(act.Say(self._say.still_there))

    def _provider_is_silent(self) -> None:
        self._note("provider_silent")
        if self.state is State.LEAVING:
            self._finish()
        elif self.state is State.GREETING or self._watch.unanswered_again():
            self._leave("provider_silent", "" if self.state is State.GREETING else self._say.trouble)
        else:
            self._watch.set("answer", self._now + self._rules.answer_ms)
            self._out.append(act.Say(self._say.still_there))

    # How it ends --------------------------------------------------------------------------------------------------

    def _leave(self, reason: str, sentence: str) -> None:
        self._say_last(sentence, lambda: [act.Leave(reason)], outcome="fallback", detail=reason)

    def _say_last(
        self,
        sentence: str,
        ending: Callable[[], list[act.Action]],
        *,
        outcome: str = "completed",
        detail: str = "time_is_up",
    ) -> None:
        """Stop whatever is said, say `sentence` if any, then do `ending`; with a deadline, so that it always ends."""
        if self.state is State.LEAVING and sentence:
            return
        self._keep_begun_message()
        if self._playout.open:
            self._out.append(act.StopVoice())
        self._cut_voice()
        self.state = State.LEAVING
        self._pending_tool = self._running_tool = self._speaking = None
        self._watch.only("leave", self._now + 8_000)
        self._ending, self._outcome, self._detail = ending, outcome, detail
        if sentence:
            self._watch.set("answer", self._now + 2_000)
            self._out.append(act.Say(sentence))
        else:
            self._finish()

    def _finish(self) -> None:
        ending, self._ending = self._ending, None
        if ending is not None:
            self._cut_voice()
            self._out += ending()
            saved = self._has_message and self._outcome == "completed"
            self._close("message" if saved else self._outcome, self._detail)

    def _close(self, outcome: str, detail: str) -> None:
        self.state = State.ENDED
        self._watch.none()
        self._note("ended", outcome=outcome, detail=detail)
        self._out.append(act.Close(outcome, detail))

    def _cut_voice(self) -> list[Heard]:
        self._sounding = False
        cut = self._playout.cut(now=self._now, heard=self._heard)
        for heard in cut:
            self._cut_utterances.append(heard.utterance_id)
            self._line(heard)
        return cut

    def _line(self, heard: Heard) -> None:
        if heard.text:
            self._out.append(act.Line("secretary", heard.text, heard.began_at, heard.ended_at, not heard.whole))

    def _over(self) -> bool:
        return self.state is State.ENDED

    def _note(self, kind: str, **detail: object) -> None:
        self._out.append(act.Note(kind, self._now, detail))
