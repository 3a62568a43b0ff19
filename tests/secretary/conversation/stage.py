"""A stage for conversations in virtual time: a leg that plays at the speed of sound, a clock that never waits."""

from __future__ import annotations

from typing import TypeVar

from secretary.conversation import actions as act
from secretary.conversation import events as ev
from secretary.conversation.machine import Conversation
from secretary.conversation.state import Rules
from secretary.speech.contract import ToolCall

STEP_MS = 20
T = TypeVar("T")


def voice(ms: int) -> bytes:
    """Silent L16 of this length."""
    return bytes(16 * ms)


class Stage:
    """Runs a Conversation: `advance` lets time pass, plays queued voice and keeps the machine's deadlines."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.talk = Conversation(rules or Rules(greeting="Acme, good morning."))
        self.now = 0
        self.heard = 0
        self.queued = 0
        self.gain = 1.0
        self.done: list[act.Action] = []

    def give(self, event: ev.Event) -> list[act.Action]:
        actions = self.talk.receive(event, now=self.now, heard=self.heard)
        for action in actions:
            if isinstance(action, act.Play):
                self.queued += len(action.pcm) // 16
            elif isinstance(action, act.StopVoice):
                self.queued = 0
            elif isinstance(action, act.Duck):
                self.gain = action.gain
        self.done += actions
        return actions

    def advance(self, ms: int) -> None:
        for _ in range(0, ms, STEP_MS):
            self.now += STEP_MS
            if self.queued:
                played = min(STEP_MS, self.queued)
                self.heard += played
                self.queued -= played
                if not self.queued:
                    self.give(ev.Drained())
            if self.talk.deadline is not None and self.talk.deadline <= self.now:
                self.give(ev.Tick())

    def say(self, text: str, ms: int = 1_000, *, id: str = "u1", last: bool = True) -> list[act.Action]:
        return self.give(ev.VoiceArrived(id, text, voice(ms), last))

    def greet(self) -> None:
        """Answer, and play the greeting to its end."""
        self.give(ev.Started())
        self.say("Acme, good morning.", 1_000, id="greeting")
        self.advance(1_200)

    def caller_says(self, text: str, ms: int = 1_000) -> None:
        """One whole turn of the caller, understood at once."""
        onset = self.now
        self.advance(100)
        self.give(ev.CallerStarted(onset))
        if ms > 600:
            self.advance(500)
            self.give(ev.CallerProven())
        self.advance(ms - (self.now - onset))
        last_sound = self.now
        self.advance(700)
        self.give(ev.CallerEnded(last_sound))
        self.give(ev.CallerText(text))

    def interrupt(self) -> None:
        """The caller speaks, and goes on: no cough."""
        onset = self.now
        self.advance(80)
        self.give(ev.CallerStarted(onset))
        self.advance(520)
        self.give(ev.CallerProven())

    def burst(self, ms: int, *, provider_decides: bool = False) -> None:
        """The caller makes a short sound, and is quiet again."""
        onset = self.now
        self.advance(80)
        self.give(ev.CallerStarted(onset))
        self.advance(ms - 80)
        last_sound = self.now
        self.advance(320 if ms < 300 else 700)
        self.give(ev.CallerEnded(last_sound, provider_decides))

    def call_tool(self, name: str, /, *, tool_id: str = "", **arguments: object) -> list[act.Action]:
        return self.give(ev.ToolCalled(ToolCall(tool_id or name, name, arguments)))

    def answers(self) -> list[tuple[str, str]]:
        """How tools were answered so far: id and outcome."""
        return [(answer.tool_call_id, answer.outcome) for answer in self.all(act.AnswerTool)]

    def all(self, kind: type[T]) -> list[T]:
        return [action for action in self.done if isinstance(action, kind)]

    @property
    def transcript(self) -> list[tuple[str, str]]:
        return [(line.who, line.text) for line in self.all(act.Line)]

    @property
    def outcome(self) -> str | None:
        closed = self.all(act.Close)
        assert len(closed) <= 1, "a conversation ends once"
        return closed[0].outcome if closed else None
