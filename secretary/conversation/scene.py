"""Where a conversation stands: what all of its parts see, and the list of what is to be done."""

from __future__ import annotations

from secretary.conversation import actions as act
from secretary.conversation.latency import Latency
from secretary.conversation.playout import Playout
from secretary.conversation.sentences import sentences
from secretary.conversation.state import Rules, State, Turn
from secretary.conversation.watchdogs import Watchdogs


class Scene:
    """Shared by the parts of one conversation. Times are ms on the call's clock; `heard` is ms of voice heard."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.state = State.GREETING
        self.language = rules.language
        self.say = sentences(rules.language)
        self.latency = Latency()
        self.playout = Playout()
        self.watch = Watchdogs(rules.silence_prompts)
        self.speaking: Turn | None = None
        """The caller's turn under way."""
        self.unanswered: Turn | None = None
        """The caller's last complete turn, until the first voice after it."""
        self.sounding = False
        """Voice is queued on the leg, as far as is known."""
        self.busy = False
        """A tool runs, or the caller is on hold: it is not the caller's turn to speak."""
        self.on_hold = False
        """The caller hears music."""
        self.recording_paused = False
        """Something is being said that must not be recorded."""
        self.stuck = ""
        """Why the conversation leads nowhere, as soon as that is seen; acted upon when the event is settled."""
        self.words_at = 0
        """When the caller was last understood."""
        self.now = 0
        self.heard = 0
        self.out: list[act.Action] = []

    def begin(self, now: int, heard: int) -> list[act.Action]:
        """A new event at this moment; returns the list that `do` fills."""
        self.now, self.heard, self.out = now, heard, []
        return self.out

    def do(self, *actions: act.Action) -> None:
        self.out += actions

    def note(self, kind: str, **detail: object) -> None:
        self.out.append(act.Note(kind, self.now, detail))

    def pause_recording(self, tool_call_id: str) -> None:
        self.watch.set("recording", self.now + self.rules.recording_pause_ms)
        if not self.recording_paused:
            self.note("recording_paused")
        self.recording_paused = True
        self.do(act.PauseRecording(tool_call_id))

    def resume_recording(self) -> None:
        """Nothing happens where it goes on already."""
        self.watch.clear("recording")
        if self.recording_paused:
            self.recording_paused = False
            self.note("recording_resumed")
            self.do(act.ResumeRecording())

    def expect_answer(self) -> None:
        """The provider has the word: something must be heard in time."""
        self.watch.set("answer", self.now + self.rules.answer_ms)

    def listen(self) -> None:
        self.state = State.LISTENING
        self.arm_silence()

    def arm_silence(self) -> None:
        """If nobody speaks, the caller must in time."""
        if self.speaking is None and self.state is State.LISTENING and not self.playout.open and not self.busy:
            self.watch.set("silence", self.now + self.rules.silence_ms)
